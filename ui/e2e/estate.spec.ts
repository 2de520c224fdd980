// What assets need: from a recommendation to an exemption, the score, benchmarks with evidence, sensors, own checks;
// in both themes, for readers, with ten thousand rows, and when the server fails.

import { readFile } from "node:fs/promises";

import { expect, type Page, test } from "@playwright/test";

import { violations } from "./axe";
import { SESSION_FILE } from "./environment";
import { csrf, forget, join } from "./estate";

test.use({ storageState: SESSION_FILE });
// They share one server, whose score they watch.
test.describe.configure({ mode: "serial" });

const TITLE = "Container hosts should be configured securely";
let hosts: number[] = [];

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage({ storageState: SESSION_FILE });
  hosts = [await join(page, "prod-1", "prod"), await join(page, "prod-2", "prod"), await join(page, "lab-1", "lab")];
  await page.close();
});

test.afterAll(async ({ browser }) => {
  const page = await browser.newPage({ storageState: SESSION_FILE });
  await forget(page, hosts);
  await page.close();
});

test("assets are chosen, weighed and exempt, and counted again", async ({ page }) => {
  await page.goto("/recommendations?environment=prod");
  await expect(page.getByText("2 of 2").first()).toBeVisible();
  for (const key of ["j", "Enter", "j", "Enter"]) await page.keyboard.press(key);
  await expect(page.getByRole("heading", { level: 1, name: TITLE })).toBeVisible();
  await expect(page).toHaveURL(/environment=prod/);
  await page.getByLabel("Choose prod-1").check();
  await expect(page.getByText(/If it were fixed: \+\d/)).toBeVisible();
  await page.getByRole("button", { name: "Exempt", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText(/The score (stays at|goes from)/)).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel("Kind").selectOption("mitigated");
  await dialog.getByLabel("Reason").fill("behind a gateway");
  await dialog.getByRole("button", { name: "Exempt" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("link", { name: /Not applicable 1/ }).click();
  await expect(page.getByText("mitigated: behind a gateway (admin)")).toBeVisible();

  await page.goto("/exemptions");
  await expect(page.getByText("behind a gateway")).toBeVisible();
  await page.getByRole("button", { name: `Take back: ${TITLE}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
  await expect(page.getByText("behind a gateway")).toBeHidden();
});

const GROUP = "Remediate security configurations";

test("recommendations stand beneath their score groups, which the address remembers", async ({ page }) => {
  await page.goto("/recommendations?environment=prod");
  const table = page.getByRole("table", { name: "Recommendations" });
  const group = table.getByRole("button", { name: GROUP });
  await expect(group).toHaveAttribute("aria-expanded", "false");
  // Maximum and current score, unhealthy assets, and what could be had.
  await expect(table.getByRole("row", { name: GROUP })).toContainText(/0 of 4\s*2 of 2\s*\+4/);
  const link = table.getByRole("link", { name: TITLE });
  await expect(link).toBeHidden();
  await page.keyboard.press("j");
  await expect(group).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(link).toBeVisible();
  await expect(page).toHaveURL(/open=/);
  await page.reload();
  await expect(group).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(link).toBeFocused();
  // A click anywhere in the group's row does it as well.
  await table.getByRole("row", { name: GROUP }).getByText("2 of 2").click();
  await expect(link).toBeHidden();

  // What is looked for is shown, and groups without it are not.
  await page.getByRole("searchbox").fill("configured securely");
  await expect(link).toBeVisible();
  await expect(table.getByRole("button")).toHaveCount(1);
  await page.getByRole("button", { name: "Close all groups" }).click();
  await expect(link).toBeHidden();
  await page.getByRole("button", { name: "Open all groups" }).click();
  await page.getByRole("button", { name: /^High/ }).click();
  await page.getByLabel("Status").selectOption("unhealthy");
  await expect(link).toBeVisible();
  expect(await violations(page)).toEqual([]);

  // One list, with what was looked for.
  await page.getByRole("link", { name: "By recommendation" }).click();
  await expect(page).toHaveURL(/view=list/);
  await expect(page.getByRole("searchbox")).toHaveValue("configured securely");
  await expect(table.getByRole("button")).toHaveCount(0);
  await expect(link).toBeVisible();
  await page.getByLabel("Status").selectOption("healthy");
  await expect(page.getByText("Nothing matches")).toBeVisible();
});

test("the first page says what to do next", async ({ page }) => {
  await page.goto("/");
  const next = page.getByRole("region", { name: "Do this next" });
  await expect(next.getByText("3 of 3 assets need it")).toBeVisible();
  await next.getByRole("link", { name: TITLE }).click();
  await expect(page.getByRole("heading", { level: 1, name: TITLE })).toBeVisible();
});

test("a file of what is shown can be downloaded", async ({ page }) => {
  await page.goto("/recommendations/docker-host-configuration?environment=lab");
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
  const text = await readFile(await file.path(), "utf8");
  expect(text.split("\r\n").filter((line) => line.includes("lab-1"))).toHaveLength(1);
  expect(text).not.toContain("prod-1");
});

test("an asset says what it needs, and can be moved", async ({ page }) => {
  await page.goto("/recommendations?view=assets&q=lab-1");
  await page.getByRole("link", { name: "lab-1" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "lab-1" })).toBeVisible();
  await expect(page.getByRole("link", { name: TITLE })).toBeVisible();
  await page.getByRole("link", { name: /Passed/ }).click();
  await expect(page.getByText("It passes no recommendation yet")).toBeVisible();
  await page.getByRole("button", { name: "Move" }).click();
  await page.getByRole("dialog").getByRole("combobox", { name: "Environment" }).fill("staging");
  await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
  await expect(page.getByRole("definition").filter({ hasText: "staging" })).toBeVisible();
  await page.getByRole("link", { name: "lab-1" }).click();
  await expect(page).toHaveURL(/\/hosts\/\d+/);
});

test("each point of the score leads to assets, and what changed it is told", async ({ page }) => {
  await page.goto("/score");
  const groups = page.getByRole("group", { name: "Score groups" });
  await groups.getByRole("button", { name: "Remediate security configurations" }).click();
  await expect(groups.getByRole("link", { name: "prod-1" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await expect(page.getByRole("img", { name: /The score went from/ })).toBeVisible();
  await page.getByRole("group", { name: "Environments" }).getByRole("link", { name: "prod", exact: true }).click();
  await expect(page).toHaveURL(/environment=prod/);
  await expect(page.getByText(/prod-\d joined: unhealthy|prod-\d: /).first()).toBeVisible();
});

test("a benchmark is looked into down to the object, answered with evidence, and printed", async ({ page }) => {
  await page.goto("/compliance");
  await page.getByRole("link", { name: "CIS Docker Benchmark" }).click();
  await page.getByLabel("Environment").selectOption("prod");
  await expect(page.getByText("2 assets compared")).toBeVisible();
  await page.getByRole("searchbox").fill("not privileged");
  await page.getByRole("button", { name: /Containers are not privileged/ }).click();
  const pane = page.getByRole("complementary", { name: /Control/ });
  await pane.getByText("prod-1", { exact: true }).click();
  await expect(pane.getByText("web", { exact: true })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(pane).toBeHidden();

  await page.getByRole("searchbox").fill("");
  await page.getByRole("button", { name: /Needs review/ }).click();
  await page.getByRole("table", { name: "Compliance" }).locator("[data-row-link]").first().click();
  await pane.getByText("prod-2", { exact: true }).click();
  const form = pane.getByRole("form", { name: "Answer for prod-2" });
  await form.getByLabel("Reason").fill("looked at on Monday");
  await form.getByLabel("Evidence, as a text file").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("all is well\n") });
  await form.getByRole("button", { name: "Save" }).click();
  // Judged again, it needs no review any more.
  await expect(form).toBeHidden();
  await pane.getByLabel("Verdicts").selectOption("pass");
  await pane.getByText("prod-2", { exact: true }).click();
  const [evidence] = await Promise.all([page.waitForEvent("download"), pane.getByRole("link", { name: "notes.txt" }).click()]);
  expect(await readFile(await evidence.path(), "utf8")).toBe("all is well\n");
  await pane.getByRole("button", { name: "Take back" }).click();
  await expect(pane.getByRole("link", { name: "notes.txt" })).toBeHidden();

  const [report] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "PDF report" }).click()]);
  expect(report.suggestedFilename()).toMatch(/^cis-docker-.*\.pdf$/);
  expect((await readFile(await report.path(), "latin1")).startsWith("%PDF-")).toBe(true);
});

test("sensors and join tokens are listed and revoked", async ({ page }) => {
  await page.goto("/sensors?q=lab-1");
  await expect(page.getByRole("link", { name: "lab-1" })).toBeVisible();
  await page.getByRole("button", { name: "Revoke lab-1" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("No sensor matches")).toBeVisible();

  const form = page.getByRole("region", { name: "Join tokens" });
  await form.getByLabel("Name").fill("rack 9");
  await form.getByLabel("Environment").fill("prod");
  await form.getByLabel("Uses").fill("2");
  await form.getByRole("button", { name: "Make a join token" }).click();
  await expect(page.getByLabel("Join command", { exact: true })).toHaveValue(/^SEAREEVE_JOIN_TOKEN=seareeve_join_/);
  await page.keyboard.press("Escape");
  await expect(form.getByRole("row", { name: /rack 9 prod 0 of 2/ })).toBeVisible();
  await form.getByRole("button", { name: "Revoke rack 9" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(form.getByRole("row", { name: /rack 9/ })).toBeHidden();
});

const CHECK = `id: acme.web
title: Containers do not run the first web server
severity: low
on: docker.container
fail_if: it.Config.Image == "web:1"
message: It runs web:1.
expected: another image
why: The house has rules.
fix: {text: Take another image.}
examples:
  - {name: bad, it: {Config: {Image: "web:1"}}, expect: fail}
  - {name: good, it: {Config: {Image: "web:2"}}, expect: pass}
`;
const BENCHMARK = `id: acme-hosts
version: "1.0"
title: Acme's own rules
asset: docker-host
sections: [{id: "1", title: Containers}]
controls:
  - {id: "1.1", title: Containers run proper images, checks: [acme.web]}
`;

test("own checks are tried, kept, judged by and deleted", async ({ page }) => {
  await page.goto("/checks");
  const area = page.getByRole("textbox");
  await area.fill(CHECK.replace("expect: fail", "expect: pass"));
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByText("it is fail, not pass", { exact: false })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await area.fill("");
  await page.getByLabel("Choose files").setInputFiles([
    { name: "acme.web.yaml", mimeType: "application/yaml", buffer: Buffer.from(CHECK) },
    { name: "acme-hosts-1.0.yaml", mimeType: "application/yaml", buffer: Buffer.from(BENCHMARK) },
  ]);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByText("2 checks and benchmarks can be used; 2 examples came out as they should.")).toBeVisible();
  await page.getByRole("button", { name: "Test and keep" }).click();
  await page.getByRole("link", { name: "Benchmark", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Acme's own rules" })).toBeVisible();
  await expect(page.getByText("3 assets compared")).toBeVisible({ timeout: 30_000 });
  await page.goto("/checks");
  for (const name of ["acme-hosts-1.0", "acme.web"]) {
    await page.getByRole("button", { name: `Delete ${name}` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(page.getByRole("link", { name })).toBeHidden();
  }
  await expect(page.getByText("You have brought none yet")).toBeVisible();
});

test("a reader sees all of it, and no button that the server would refuse", async ({ page, browser, baseURL }) => {
  const made = await page.request.post("/api/v1/users", { headers: await csrf(page), data: { name: "rea-estate", role: "reader" } });
  const { sign_in_path: link } = (await made.json()) as { sign_in_path: string };
  const context = await browser.newContext({ baseURL, storageState: { cookies: [], origins: [] } });
  const reader = await context.newPage();
  await reader.goto(link);
  const passwords = reader.locator("input[type=password]");
  await expect(passwords.first()).toBeVisible();
  for (let at = 0; at < (await passwords.count()); at++) await passwords.nth(at).fill("kelp-anchor-lantern-43");
  await reader.keyboard.press("Enter");
  await expect(reader.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  for (const [path, seen] of [
    ["/recommendations/docker-host-configuration", "A security admin can make exemptions."],
    ["/sensors", "A security admin can make and revoke join tokens and revoke sensors."],
    ["/checks", "A security admin can bring, switch and delete checks."],
    ["/exemptions", "Nothing is exempt"],
    ["/compliance/cis-docker", "assets compared"],
    [`/asset/${hosts[0]}`, "prod-1"],
  ] as const) {
    await reader.goto(path);
    await expect(reader.getByText(seen).first()).toBeVisible();
    const buttons = reader.getByRole("button", { name: /^(Exempt|Revoke|Make a join|Test|Delete|Take back|Move|Switch)/ });
    expect(await buttons.count(), path).toBe(0);
  }
  await context.close();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`pages with something to see break no rule in ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    const open: [string, (page: Page) => Promise<unknown>][] = [
      ["/recommendations", (page) => expect(page.getByRole("table")).toBeVisible()],
      ["/recommendations?open=all&all=yes", (page) => expect(page.getByRole("link", { name: TITLE })).toBeVisible()],
      ["/recommendations?view=list", (page) => expect(page.getByRole("table")).toBeVisible()],
      ["/recommendations?view=assets", (page) => expect(page.getByRole("table")).toBeVisible()],
      ["/recommendations?view=assets&q=nothing", (page) => expect(page.getByText("Nothing matches")).toBeVisible()],
      ["/recommendations/docker-host-configuration", (page) => expect(page.getByRole("table")).toBeVisible()],
      [`/asset/${hosts[0]}`, (page) => expect(page.getByRole("table")).toBeVisible()],
      ["/score", (page) => expect(page.getByText("What changed it")).toBeVisible()],
      ["/compliance", (page) => expect(page.getByRole("table")).toBeVisible()],
      ["/compliance/cis-docker?control=5.5", (page) => expect(page.getByRole("complementary", { name: "Control 5.5" })).toBeVisible()],
      ["/sensors", (page) => expect(page.getByRole("table", { name: "Sensors" })).toBeVisible()],
    ];
    for (const [path, ready] of open) {
      await page.goto(path);
      await ready(page);
      expect(await violations(page), path).toEqual([]);
    }
  });
}

const LISTS = [
  ["/recommendations?view=assets", "**/api/v1/assets?*"],
  ["/recommendations/docker-host-configuration", "**/api/v1/recommendations/*/assets?*"],
  ["/recommendations/docker-host-configuration", "**/api/v1/recommendations/docker-host-configuration"],
  ["/asset/1", "**/api/v1/assets/1"],
  ["/exemptions", "**/api/v1/exemptions"],
  ["/score", "**/api/v1/score"],
  ["/compliance", "**/api/v1/benchmarks"],
  ["/compliance/cis-docker", "**/api/v1/compliance/cis-docker"],
  ["/sensors", "**/api/v1/sensors"],
  ["/checks", "**/api/v1/checks"],
] as const;

test("a page whose data cannot be had says so, with the request's number", async ({ page }) => {
  for (const [path, address] of LISTS) {
    const error = { status: 500, code: "internal", detail: "the server failed; its log has the cause", request_id: "abc-123" };
    await page.route(address, (route) => route.fulfill({ status: 500, contentType: "application/json", body: JSON.stringify({ error }) }));
    await page.goto(path);
    await expect(page.getByText("the server failed; its log has the cause").first(), path).toBeVisible();
    await expect(page.getByText("Request abc-123").first()).toBeVisible();
    expect(await violations(page), path).toEqual([]);
    await page.unroute(address);
  }
});

test("a page that waits says that it loads", async ({ page }) => {
  for (const [path, address] of LISTS) {
    let go = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    await page.route(address, async (route) => {
      await held;
      await route.continue().catch(() => {});
    });
    await page.goto(path);
    await expect(page.getByRole("status").filter({ hasText: "Loading" }).first(), path).toBeVisible();
    go();
    await page.unroute(address);
  }
});

const ROWS = 10_000;

test("ten thousand assets and sensors stand in few rows", async ({ page }) => {
  const now = new Date(0).toISOString();
  const asset = (id: number) => ({
    id, kind: "docker-host", name: `machine-${id}`, environment: "default", state: "unhealthy", reason: null, last_seen: now,
    unhealthy: 1, healthy: 0, not_applicable: 0, unknown: 0,
  });
  const sensor = (id: number) => ({
    id, name: `machine-${id}`, version: "0.1.0", joined_by: "rack", host: id, host_name: `machine-${id}`, kind: "docker-host",
    environment: "default", silent: id % 2 === 0, joined: now, last_seen: now,
  });
  const all = Array.from({ length: ROWS }, (_, at) => at);
  await page.route("**/api/v1/assets?*", (route) => route.fulfill({ json: { assets: all.map(asset), next: null } }));
  await page.route("**/api/v1/sensors", (route) => route.fulfill({ json: { sensors: all.map(sensor) } }));
  for (const path of ["/recommendations?view=assets", "/sensors"]) {
    await page.goto(path);
    await expect(page.getByText(/10,000 (assets|sensors)/)).toBeVisible();
    const table = page.getByRole("table").first();
    expect(await table.locator("tbody tr").count()).toBeLessThan(200);
    for (let press = 0; press < 30; press++) await page.keyboard.press("j");
    await expect(page.locator("[data-row-link]:focus")).toBeVisible();
  }
});
