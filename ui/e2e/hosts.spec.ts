// A host that joins: from the empty list to one control, by keyboard, and an exception that is taken back.

import { expect, type Page, test } from "@playwright/test";

import { violations } from "./axe";
import { SESSION_FILE } from "./environment";

test.use({ storageState: SESSION_FILE });

const some = (items: unknown[]) => ({ status: "ok", source: "a test", items });

const FACTS = {
  schema: "seareeve.facts/1",
  asset_kind: "docker-host",
  asset_id: "e2e-machine",
  asset_name: "build-1",
  collected_at: "2030-01-01T00:00:00Z",
  collector: "seareeve 0.1.0",
  facts: {
    host: some([{ id: "host", name: "build-1", data: { hostname: "build-1", kernel: "6.12.0" } }]),
    "docker.daemon": some([
      { id: "e1", name: "docker", data: { engine: "docker", endpoint: "unix:///run/docker.sock", version: { Version: "29.1.0" }, effective: {}, hosts: [] } },
    ]),
    "docker.container": some([
      { id: "c1", name: "web", data: { engine: "e1", State: { Status: "running", Running: true }, Config: { Image: "web:1" }, HostConfig: { Privileged: true } } },
    ]),
    "docker.image": some([]),
  },
};

/** A node that a provider looks after: it runs containers, of which nothing is judged. */
const NODE = {
  ...FACTS,
  asset_id: "e2e-node",
  asset_name: "aks-node-1",
  facts: {
    ...FACTS.facts,
    host: some([{ id: "host", name: "aks-node-1", data: { hostname: "aks-node-1", managed: { is: true, by: "aks", reason: "/etc/kubernetes/azure.json is there" } } }]),
    "docker.daemon": { status: "absent", source: "a test", items: [] },
  },
};

const BARE = {
  ...FACTS,
  asset_id: "e2e-bare",
  asset_name: "bare-1",
  facts: Object.fromEntries(
    Object.entries(FACTS.facts).map(([kind, facts]) => [kind, kind === "host" ? facts : { status: "absent", source: "a test", items: [] }]),
  ),
};

/** What a sensor does. */
async function join(page: Page, facts: object = FACTS): Promise<void> {
  const session = (await (await page.request.get("/api/v1/session")).json()) as { csrf_token: string };
  const headers = { "x-csrf-token": session.csrf_token };
  const made = await page.request.post("/api/v1/join-tokens", { headers, data: { name: "e2e", hours: 1 } });
  const { secret } = (await made.json()) as { secret: string };
  const joined = await page.request.post("/api/v1/join", { data: { token: secret, name: "build-1", version: "0.1.0" } });
  const { token } = (await joined.json()) as { token: string };
  const sent = await page.request.put("/api/v1/facts", { headers: { authorization: `Bearer ${token}` }, data: facts });
  expect(sent.status()).toBe(200);
}

test("a host joins and is judged, and its controls say what to do", async ({ page }) => {
  await page.goto("/hosts");
  await page.getByRole("button", { name: "Make a join command" }).click();
  await expect(page.getByLabel("Join command", { exact: true })).toHaveValue(/^SEAREEVE_JOIN_TOKEN=seareeve_join_\S+ seareeve sensor --server http/);
  await page.keyboard.press("Escape");
  await join(page);
  // The list hears of it by itself.
  await expect(page.getByRole("link", { name: "build-1" })).toBeVisible();
  await expect(page.getByText("Docker 29.1.0")).toBeVisible();
  await expect(page.getByRole("row", { name: /build-1/ }).getByText("Unhealthy")).toBeVisible();

  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "build-1" })).toBeVisible();
  // The gravest first.
  await expect(page.getByRole("table", { name: "Controls" }).locator("tbody tr[data-index='0']")).toContainText("5.5 Containers are not privileged");
  await expect(page.getByText("Unmanaged container host")).toBeVisible();
  await page.getByRole("searchbox").fill("privileged");
  await page.getByRole("button", { name: /Containers are not privileged/ }).click();
  const pane = page.getByRole("complementary", { name: /Control/ });
  await expect(pane.getByText("is privileged", { exact: true })).toBeVisible();
  await pane.getByLabel("Reason").fill("it builds images");
  await pane.getByRole("button", { name: "Save" }).click();
  await expect(pane.getByText("Excepted").first()).toBeVisible();
  await pane.getByRole("button", { name: "Take back" }).click();
  await expect(pane.getByText("is privileged", { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(pane).toBeHidden();

  await page.getByRole("link", { name: "Containers" }).click();
  await expect(page.getByText("privileged", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "web" }).click();
  const container = page.getByRole("complementary", { name: "Container web" });
  await expect(container.getByText("Image", { exact: true })).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), colorScheme).toEqual([]);
  }
  await container.getByRole("link", { name: "5.5 Containers are not privileged" }).click();
  await expect(pane.getByText("is privileged", { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Recommendations" }).first().click();
  await expect(page.getByText(/0 of \d+ points/).first()).toBeVisible();
  await page.getByRole("button", { name: "Remediate security configurations" }).click();
  await page.getByRole("link", { name: "Container hosts should be configured securely" }).click();
  await expect(page.getByText("Worth 4 points when all are healthy")).toBeVisible();

  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("region", { name: "Secure score" }).getByText(/0 of \d+ points/)).toBeVisible();
});

test("a host that is no more is forgotten", async ({ page }) => {
  await page.goto("/hosts");
  await page.getByRole("link", { name: "build-1" }).click();
  await page.getByRole("button", { name: "Forget this host" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Forget this host" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Hosts" })).toBeVisible();
  await expect(page.getByRole("link", { name: "build-1" })).toBeHidden();
  // Other tests look at it.
  await join(page);
  await expect(page.getByRole("link", { name: "build-1" })).toBeVisible();
});

async function forget(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Forget this host" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Forget this host" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Hosts" })).toBeVisible();
}

test("where nothing was judged nothing has passed", async ({ page }) => {
  await join(page, NODE);
  await page.goto("/hosts");
  await page.getByRole("link", { name: "aks-node-1" }).click();
  await expect(page.getByText("Managed by its provider")).toBeVisible();
  await page.getByRole("link", { name: "Containers" }).click();
  await expect(page.getByRole("row", { name: /web/ }).getByText("Not judged")).toBeVisible();
  await page.getByRole("button", { name: "web" }).click();
  const pane = page.getByRole("complementary", { name: "Container web" });
  await expect(pane.getByText("Not judged")).toBeVisible();
  await expect(pane.getByText(/its provider looks after this machine/)).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), colorScheme).toEqual([]);
  }
  await page.keyboard.press("Escape");
  await expect(pane).toBeHidden();
  await forget(page);

  await join(page, BARE);
  await page.getByRole("link", { name: "bare-1" }).click();
  await expect(page.getByText("Machine without a container engine")).toBeVisible();
  await forget(page);
});

test("an address of a container that is no more keeps nobody on the page, and an error is no pass", async ({ page }) => {
  await page.goto("/hosts");
  await page.getByRole("link", { name: "build-1" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "build-1" })).toBeVisible();
  const host = page.url();
  await page.goto(`${host}?tab=containers&container=gone`);
  await expect(page.getByRole("button", { name: "web" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { level: 1, name: "Hosts" })).toBeVisible();

  await page.route("**/api/v1/hosts/*/report", (route) => route.fulfill({ status: 500, json: { error: { code: "internal", message: "it is broken" } } }));
  await page.goto(`${host}?tab=containers&container=c1`);
  const pane = page.getByRole("complementary", { name: "Container web" });
  await expect(pane.getByRole("alert")).toBeVisible({ timeout: 30_000 });
  await expect(pane.getByText("None", { exact: true })).toBeHidden();
  await page.unroute("**/api/v1/hosts/*/report");
  await pane.getByRole("button", { name: "Try again" }).click();
  await expect(pane.getByRole("link", { name: "5.5 Containers are not privileged" })).toBeVisible();
});

test("recommendations are narrowed by what there is, and clearing clears all", async ({ page }) => {
  await page.goto("/recommendations?view=assets");
  await expect(page.getByRole("row", { name: /build-1/ })).toBeVisible();
  await expect(page.getByLabel("Kind").locator("option")).toHaveText(["Any", "Container host", "Subscription", "Kubernetes cluster", "Registry"]);
  await page.getByLabel("Kind").selectOption("Container host");
  await expect(page.getByRole("row", { name: /build-1/ })).toBeVisible();

  await page.goto("/recommendations?view=list&environment=nowhere&severity=high");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(page.getByRole("link", { name: "Container hosts should be configured securely" })).toBeVisible();

  await page.route("**/api/v1/recommendations", (route) => route.fulfill({ status: 500, json: { error: { code: "internal", message: "it is broken" } } }));
  await page.goto("/");
  const next = page.getByRole("region", { name: "Do this next" });
  await expect(next.getByRole("alert")).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), colorScheme).toEqual([]);
  }
  await page.unroute("**/api/v1/recommendations");
  await next.getByRole("button", { name: "Try again" }).click();
  await expect(next.getByRole("link", { name: "Container hosts should be configured securely" })).toBeVisible();
});
