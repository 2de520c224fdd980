// The catalogue by keyboard, a detection that is tuned while events come, an exception and a rule that are tried on past
// events before they are in force.

import { type APIRequestContext, expect, type Page, test } from "@playwright/test";

import { violations } from "./axe";
import { SESSION_FILE } from "./environment";

test.use({ storageState: SESSION_FILE });
test.describe.configure({ mode: "serial" });
// Each looks at several states in both themes.
test.slow();

const CLUSTER = "kelp";
const EXEC = "exec-into-pod";
const RULE = `- rule: Shell in a shop
  desc: somebody runs a command
  condition: ka.verb = create and ka.target.subresource = exec
  output: shell in %ka.target.namespace by %ka.user.name
  priority: WARNING
  source: k8s_audit
`;

let token = "";
let sent = 0;

async function headers(request: APIRequestContext): Promise<Record<string, string>> {
  const session = await (await request.get("/api/v1/session")).json();
  return { "X-CSRF-Token": session.csrf_token };
}

/** What an API server says of commands that were run in pods. */
async function exec(request: APIRequestContext, users: readonly string[]): Promise<void> {
  const items = users.map((user) => {
    sent += 1;
    const at = new Date(Date.now() + sent).toISOString();
    return {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "RequestResponse",
      auditID: `e2e-${sent}`,
      stage: "ResponseStarted",
      requestURI: `/api/v1/namespaces/shop/pods/cart-${sent}/exec?command=ls`,
      verb: "create",
      user: { username: user, groups: ["system:authenticated"] },
      sourceIPs: ["203.0.113.7"],
      userAgent: "kubectl/v1.30.0",
      objectRef: { resource: "pods", subresource: "exec", namespace: "shop", name: `cart-${sent}`, apiVersion: "v1" },
      responseStatus: { code: 101 },
      requestReceivedTimestamp: at,
      stageTimestamp: at,
    };
  });
  const answer = await request.post(`/audit/${CLUSTER}`, {
    headers: { authorization: `Bearer ${token}` },
    data: { kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items },
  });
  expect(answer.status()).toBe(200);
  await expect
    .poll(async () => (await (await request.get(`/api/v1/audit/clusters/${CLUSTER}`)).json()).events)
    .toBeGreaterThanOrEqual(sent);
}

async function clean(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), colorScheme).toEqual([]);
  }
}

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage();
  const { request } = page;
  const given = await headers(request);
  const made = await request.post("/api/v1/audit/clusters", { headers: given, data: { name: CLUSTER } });
  expect(made.status()).toBe(201);
  const source = await request.post(`/api/v1/audit/clusters/${CLUSTER}/sources`, { headers: given, data: { kind: "webhook" } });
  token = (await source.json()).webhook.token;
  await request.put(`/api/v1/audit/clusters/${CLUSTER}/plan`, { headers: given, data: { is_on: true, consent: true } });
  await exec(request, ["eve", "eve", "ci-bot"]);
  await page.close();
});

test.afterAll(async ({ browser }) => {
  const page = await browser.newPage();
  const given = await headers(page.request);
  await page.request.delete(`/api/v1/audit/clusters/${CLUSTER}`, { headers: given });
  await page.close();
});

test("the catalogue is filtered, walked by keyboard and tuned", async ({ page }) => {
  await page.goto("/alerts");
  await page.getByRole("navigation", { name: "Alerts and incidents" }).getByRole("link", { name: "Detections" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Detections" })).toBeVisible();
  await page.getByRole("button", { name: /^Raised something/ }).click();
  await expect(page).toHaveURL(/status=noisy/);
  const rows = page.locator("[data-row-link]");
  await expect(rows).toHaveCount(1);
  await clean(page);
  await page.getByRole("button", { name: /^Raised something/ }).click();
  await page.keyboard.press("/");
  await page.keyboard.type("T1609");
  await expect(page).toHaveURL(/q=T1609/);
  await expect(page.getByRole("link", { name: "Command run in a pod", exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const pane = page.getByRole("complementary", { name: "Detection" });
  await expect(pane.getByRole("heading", { name: "What it sees" })).toBeVisible();
  await clean(page);

  await page.goto(`/detections?detection=${EXEC}`);
  await expect(pane.getByText("Sees", { exact: false }).first()).toBeVisible();
  await pane.getByRole("heading", { level: 2 }).focus();
  await page.keyboard.press("o");
  const dialog = page.getByRole("dialog");
  await clean(page);
  await dialog.getByLabel("Why").fill("everybody debugs here");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(pane.getByText("switched off").first()).toBeVisible();
  const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: "Command run in a pod", exact: true }) });
  await expect(row.getByText("Off")).toBeVisible();
  await expect(row.getByText("tuned")).toBeVisible();
  await pane.getByRole("button", { name: "Take back: switched off" }).click();
  await expect(row.getByText("tuned")).toBeHidden();
  await expect(pane.getByText("everybody debugs here").first()).toBeVisible();
});

test("an exception is tried on past events before it is made", async ({ page }) => {
  await page.goto(`/detections/${EXEC}`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByRole("table", { name: "Back-test", exact: true })).toBeVisible();
  await page.getByRole("button", { name: /^Except something/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Value").fill("ci-bot");
  await dialog.getByLabel("Why").fill("the pipeline");
  await dialog.getByRole("button", { name: "Try it on past events" }).click();
  await expect(page.getByText("except ka.user.name = ci-bot")).toBeVisible();
  await expect(page.getByText("No more: 1 event")).toBeVisible();
  await page.getByText("No more: 1 event").click();
  await page.getByText("Evidence", { exact: true }).first().click();
  await clean(page);
  // Nothing was made.
  await expect(page.getByText("Nobody has changed anything.").or(page.getByText("Nothing.")).first()).toBeVisible();
});

test("a rule is written, tested, tried on past events, kept and deleted", async ({ page }) => {
  await page.goto("/detections/files");
  await page.getByLabel("Name").fill("shop.yaml");
  const text = page.locator("textarea");
  await text.fill(RULE.replace("ka.verb", "ka.verbs"));
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByText("line 3")).toBeVisible();
  await clean(page);
  await text.fill(RULE);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByText(/Nothing is wrong: 1 detection/)).toBeVisible();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByText(/^In addition: 3 events/)).toBeVisible();
  await clean(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("button", { name: "shop.yaml", exact: true })).toBeVisible();
  await exec(page.request, ["mallory"]);
  await page.goto("/detections?origin=own");
  await expect(page.getByRole("link", { name: "Shell in a shop", exact: true })).toBeVisible();
  await page.goto("/detections/files");
  await page.getByRole("button", { name: "shop.yaml", exact: true }).click();
  await expect(text).toHaveValue(RULE);
  await page.getByRole("button", { name: "Delete: shop.yaml" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No rule files")).toBeVisible();
});

test("a list gets another item, and loses it again", async ({ page }) => {
  await page.goto("/detections/lists?list=miner_programs");
  const pane = page.getByRole("complementary", { name: "List" });
  await pane.getByRole("button", { name: "Change" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Items to add, one on a line").fill("frobminer");
  await dialog.getByLabel("Why").fill("seen last week");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(pane.getByText("frobminer", { exact: true })).toBeVisible();
  await clean(page);
  await pane.getByRole("button", { name: "Take back: added frobminer" }).click();
  await expect(pane.getByText("frobminer", { exact: true })).toBeHidden();
});
