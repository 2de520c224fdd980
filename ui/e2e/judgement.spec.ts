// What is said of findings beyond their advisories, and who may say it.

import { expect, type Page, test } from "@playwright/test";

import { SESSION_FILE } from "./environment";

test.use({ storageState: SESSION_FILE });

const rows = (page: Page) => page.getByRole("table", { name: "Findings" }).locator("tbody tr[data-index]");

/** The first image's page. */
async function openImage(page: Page): Promise<string> {
  await page.goto("/images");
  const href = (await page.locator("[data-row-link]").first().getAttribute("href")) ?? "";
  await page.goto(href);
  await expect(rows(page).first()).toBeVisible();
  return href;
}

test("a VEX document takes a finding out of the counts, and its end brings it back", async ({ page }) => {
  const href = await openImage(page);
  await rows(page).first().getByRole("link").click();
  const pane = page.getByRole("complementary");
  await expect(pane.getByRole("heading", { name: "Remedy" })).toBeVisible();
  const id = (await pane.getByRole("heading", { level: 2 }).textContent()) ?? "";
  const purl = (await pane.locator(".fact", { hasText: "Package URL" }).locator("code").textContent()) ?? "";
  const statement = {
    vulnerability: { name: id },
    products: [{ "@id": purl }],
    status: "not_affected",
    justification: "vulnerable_code_not_in_execute_path",
  };
  const document = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://vex.example/1",
    author: "the team",
    timestamp: "2026-01-01T00:00:00Z",
    version: 1,
    statements: [statement],
  };
  await page.goto("/settings");
  await page.getByLabel("Add a document").setInputFiles({
    name: "team.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(document)),
  });
  const row = page.getByRole("row", { name: /team\.json \(the team\)/ });
  await expect(row.getByRole("cell").nth(2)).toHaveText("1", { timeout: 30_000 });

  await page.goto(href);
  await page.getByRole("checkbox", { name: /^Show suppressed/ }).check();
  await expect(page).toHaveURL(/suppressed=true/);
  await expect(page.getByText(/that (does|do) not count$/)).toBeVisible();
  const suppressed = rows(page).filter({ hasText: id }).first();
  await expect(suppressed).toContainText("A VEX document");
  await suppressed.getByRole("link").click();
  await expect(pane.getByRole("heading", { name: "Does not count" })).toBeVisible();
  await expect(pane.getByText("team.json (the team)").first()).toBeVisible();

  await page.goto("/settings");
  await page.getByRole("button", { name: "Delete team.json" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No documents yet")).toBeVisible();
  await expect(page.getByText(/^Judging/)).toHaveCount(0, { timeout: 30_000 });
  await page.goto(href);
  await expect(rows(page).filter({ hasText: id }).first()).toBeVisible();
});

test("a document that is none is refused in words", async ({ page }) => {
  await page.goto("/settings");
  const file = { name: "x.json", mimeType: "application/json", buffer: Buffer.from("{}") };
  await page.getByLabel("Add a document").setInputFiles(file);
  await expect(page.getByRole("alert")).toContainText("neither OpenVEX nor CSAF 2.0 nor CycloneDX");
});

test("results leave in three forms, by keyboard too", async ({ page }) => {
  await openImage(page);
  const button = page.locator("summary", { hasText: "Download" });
  await button.focus();
  await page.keyboard.press("Enter");
  for (const [name, address] of [["Report", "/report"], ["CycloneDX", "format=cyclonedx"], ["SPDX", "format=spdx"]] as const) {
    const href = (await page.getByRole("link", { name }).getAttribute("href")) ?? "";
    expect(href).toContain(address);
    expect((await page.request.get(href)).ok()).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(page.getByRole("link", { name: "SPDX" })).toBeHidden();
  await expect(button).toBeFocused();
  await expect(rows(page).first()).toBeVisible();
});

test("readers are not offered what the server would refuse", async ({ page, browser }) => {
  await page.goto("/settings");
  await page.getByRole("textbox", { name: "Name" }).fill(`reader-${Date.now()}`);
  await page.getByLabel("Role").selectOption("reader");
  await page.getByRole("button", { name: "Add user" }).click();
  const link = await page.getByLabel("Sign-in link", { exact: true }).inputValue();
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const reader = await context.newPage();
  await reader.goto(link);
  await reader.getByLabel("New password").fill("a few unrelated words");
  await reader.getByRole("button", { name: "Save and go on" }).click();
  await expect(reader.getByText("An operator can scan images.")).toBeVisible();
  await expect(reader.getByRole("button", { name: "Scan" })).toHaveCount(0);
  await reader.goto("/images");
  await expect(reader.getByRole("table", { name: "Images" })).toBeVisible();
  await expect(reader.getByRole("button", { name: /^Delete/ })).toHaveCount(0);
  await reader.goto("/settings");
  await expect(reader.getByText("An operator can add and delete documents.")).toBeVisible();
  await expect(reader.getByRole("button", { name: "Update now" })).toHaveCount(0);
  await context.close();
});
