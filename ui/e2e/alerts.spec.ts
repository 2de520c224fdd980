// From the empty inbox to the last alert dealt with, by keyboard; a suppression rule that is tried first; an audit
// source that is connected and switched on.

import { expect, test } from "@playwright/test";

import { violations } from "./axe";
import { BASE_URL, SESSION_FILE } from "./environment";

test.use({ storageState: SESSION_FILE });

/** Somebody runs a command in a pod, some seconds from now on. */
function exec(id: string, seconds: number): object {
  const at = new Date(Date.now() + seconds * 1000).toISOString();
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: id,
    stage: "ResponseStarted",
    requestURI: "/api/v1/namespaces/shop/pods/cart/exec?command=ls&stdout=true",
    verb: "create",
    user: { username: "CORP\\eve", groups: ["system:authenticated"] },
    sourceIPs: ["203.0.113.7"],
    userAgent: "kubectl/v1.30.0",
    objectRef: { resource: "pods", subresource: "exec", namespace: "shop", name: "cart", apiVersion: "v1" },
    responseStatus: { code: 101 },
    requestReceivedTimestamp: at,
    stageTimestamp: at,
  };
}

test("sample alerts are dealt with by keyboard", async ({ page }) => {
  await page.goto("/alerts");
  await page.getByRole("button", { name: "Make sample alerts" }).click();
  const rows = page.locator("[data-row-link]");
  await expect(rows.first()).toBeVisible();
  await expect(page.getByText("sample", { exact: true }).first()).toBeVisible();
  const before = await rows.count();

  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const pane = page.getByRole("complementary", { name: "Alert" });
  await expect(pane.getByRole("heading", { name: "Mitigate" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await pane.getByLabel("Add a note").fill("looked at by a test");
  await pane.getByRole("button", { name: "Add", exact: true }).click();
  await expect(pane.getByText("looked at by a test")).toBeVisible();

  const title = await pane.getByRole("heading", { level: 2 }).textContent();
  await pane.getByRole("heading", { level: 2 }).focus();
  await page.keyboard.press("r");
  // It leaves the list, and the next one takes its place.
  await expect(rows).toHaveCount(before - 1);
  await page.keyboard.press("Escape");
  await expect(pane).toBeHidden();
  // The focus goes back to where it came from, so J goes on from there.
  await expect(page.locator("tr [data-row-link]:focus")).toBeVisible();
  await page.getByLabel("Choose all that are shown").check();
  await expect(page.getByText(`${before - 1} alerts chosen`)).toBeVisible();
  await page.getByRole("button", { name: "Choose none" }).click();
  await page.getByLabel("State").selectOption("resolved");
  await expect(page.getByRole("link", { name: title ?? "", exact: true })).toBeVisible();

  await page.getByRole("link", { name: title ?? "", exact: true }).click();
  await pane.getByRole("link", { name: "Open the whole page" }).click();
  await expect(page.getByRole("heading", { level: 1, name: title ?? "" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Open again" }).click();
  await expect(page.getByRole("button", { name: "Take it up" })).toBeVisible();
});

test("what only security admins may do is not offered to operators", async ({ page }) => {
  await page.route("**/api/v1/session", async (route) => {
    const response = await route.fetch();
    const session = await response.json();
    await route.fulfill({ response, json: { ...session, user: { ...session.user, role: "operator" } } });
  });
  await page.goto("/suppressions");
  await expect(page.getByText("No rules")).toBeVisible();
  await expect(page.getByRole("button", { name: "New rule" })).toBeHidden();
  await page.goto("/alerts");
  await page.locator("[data-row-link]").first().click();
  const pane = page.getByRole("complementary", { name: "Alert" });
  await expect(pane.getByRole("button", { name: "Take it up" })).toBeVisible();
  await expect(pane.getByRole("button", { name: "Suppress alerts like this" })).toBeHidden();
});

test("a suppression rule is tried before it is saved, and deleted", async ({ page }) => {
  await page.goto("/alerts");
  await page.locator("[data-row-link]").first().click();
  const pane = page.getByRole("complementary", { name: "Alert" });
  await pane.getByRole("button", { name: "Suppress alerts like this" }).click();
  const dialog = page.getByRole("dialog");
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel("Name", { exact: true }).fill("expected-here");
  await dialog.getByRole("button", { name: "Try it" }).click();
  await expect(dialog.getByText(/It would have dismissed [1-9]/)).toBeVisible();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await page.goto("/suppressions");
  await expect(page.getByRole("button", { name: "expected-here", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Delete: expected-here" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No rules")).toBeVisible();
});

test("an audit log is connected, and switched on only with consent", async ({ page }) => {
  await page.goto("/audit");
  await page.getByRole("button", { name: "Add a cluster" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("shop");
  await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
  const cluster = page.getByRole("region", { name: "shop" });
  await cluster.getByRole("button", { name: "Add a source" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("dialog").getByText("apiVersion: v1")).toBeVisible();
  const token = /seareeve_audit_\S+/.exec((await page.getByRole("dialog").locator("pre").textContent()) ?? "")?.[0] ?? "";
  await page.keyboard.press("Escape");
  await expect(cluster.getByText("Webhook of the API server")).toBeVisible();
  await cluster.getByRole("button", { name: "Switch on" }).click();
  const consent = page.getByRole("dialog");
  await expect(consent.getByRole("button", { name: "Switch on" })).toBeDisabled();
  await consent.getByRole("checkbox").check();
  await consent.getByRole("button", { name: "Switch on" }).click();
  await expect(cluster.getByText(/On since/)).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Alerts" })).toHaveAttribute("aria-current", "true");
  expect(await violations(page)).toEqual([]);

  // What cannot be read is told by what is wrong with it.
  const items = [12, ...Array.from({ length: 30 }, (_, number) => exec(`e2e-${number}`, number))];
  const sent = await page.request.post(`${BASE_URL}/audit/shop`, {
    headers: { authorization: `Bearer ${token}` },
    data: { kind: "EventList", apiVersion: "audit.k8s.io/v1", items },
  });
  expect(sent.status()).toBe(200);
  await expect(async () => {
    await page.reload();
    await cluster.getByText("1 event could not be read, or not in full").click({ timeout: 1000 });
  }).toPass();
  await expect(cluster.getByRole("cell", { name: "It is no JSON" })).toBeVisible();

  // The policy in force says what detections see of what has not arrived.
  await cluster.getByRole("button", { name: "Give the audit policy" }).click();
  const policy = page.getByRole("dialog");
  await policy.getByLabel("Policy (YAML)").fill("kind: Pod");
  await policy.getByRole("button", { name: "Save and compare" }).click();
  await expect(policy.getByText(/it is no audit policy/)).toBeVisible();
  await policy.getByLabel("Policy (YAML)").fill("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: None}\n");
  await policy.getByRole("button", { name: "Save and compare" }).click();
  await expect(policy.getByRole("status")).toContainText(/[1-9]\d* blind/);
  await expect(policy.getByText(/is logged at None, \w+ is needed/).first()).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await policy.getByRole("button", { name: "Forget it" }).click();
  await expect(policy).toBeHidden();
  await expect(cluster.getByRole("button", { name: "Give the audit policy" })).toBeVisible();

  // What somebody did around an alert: the nearest first.
  await page.goto("/alerts?cluster=shop");
  await page.getByRole("link", { name: "Command run in a pod" }).click();
  const pane = page.getByRole("complementary", { name: "Alert" });
  const related = pane.getByRole("table", { name: "What CORP\\eve did before and after" });
  await expect(related.getByText("This alert")).toBeVisible();
  await expect(related.getByRole("row")).toHaveCount(1 + 1 + 8);
  await pane.getByRole("button", { name: "Show all 30" }).click();
  await expect(related.getByRole("row")).toHaveCount(1 + 1 + 30);
  expect(await violations(page)).toEqual([]);

  await page.goto("/audit");
  await cluster.getByRole("button", { name: "Remove cluster" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove cluster" }).click();
  await expect(page.getByText("No cluster yet")).toBeVisible();
});

test("a list of threat intelligence is uploaded, looked at and deleted", async ({ page }) => {
  await page.goto("/intel");
  await page.getByRole("button", { name: "Add a list" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("ours");
  await dialog.getByLabel("Comes from").selectOption("upload");
  expect(await violations(page)).toEqual([]);
  // What is refused leaves nothing behind that would be in the way of the next try.
  await dialog.getByLabel("File").setInputFiles({ name: "page.html", mimeType: "text/html", buffer: Buffer.from("<html>") });
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog.getByText(/it is a page \(HTML\), not a list/)).toBeVisible();
  await dialog.getByLabel("File").setInputFiles({ name: "bad.txt", mimeType: "text/plain", buffer: Buffer.from("198.51.100.7\nno address\n") });
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("1 entry not used")).toBeVisible();
  await page.getByRole("button", { name: "ours", exact: true }).click();
  await expect(page.getByRole("dialog").getByText("a text that is none")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No list yet")).toBeVisible();
});
