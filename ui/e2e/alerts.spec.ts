// From the empty inbox to the last alert dealt with, by keyboard; a suppression rule that is tried first; an audit
// source that is connected and switched on.

import { expect, test } from "@playwright/test";

import { violations } from "./axe";
import { SESSION_FILE } from "./environment";

test.use({ storageState: SESSION_FILE });

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
  await page.getByLabel("State").selectOption("resolved");
  await expect(page.getByRole("link", { name: title ?? "", exact: true })).toBeVisible();

  await page.getByRole("link", { name: title ?? "", exact: true }).click();
  await pane.getByRole("link", { name: "Open the whole page" }).click();
  await expect(page.getByRole("heading", { level: 1, name: title ?? "" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Open again" }).click();
  await expect(page.getByRole("button", { name: "Take it up" })).toBeVisible();
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
  await page.keyboard.press("Escape");
  await expect(cluster.getByText("Webhook of the API server")).toBeVisible();
  await cluster.getByRole("button", { name: "Switch on" }).click();
  const consent = page.getByRole("dialog");
  await expect(consent.getByRole("button", { name: "Switch on" })).toBeDisabled();
  await consent.getByRole("checkbox").check();
  await consent.getByRole("button", { name: "Switch on" }).click();
  await expect(cluster.getByText(/On since/)).toBeVisible();
  expect(await violations(page)).toEqual([]);
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
  await dialog.getByLabel("File").setInputFiles({ name: "bad.txt", mimeType: "text/plain", buffer: Buffer.from("198.51.100.7\nno address\n") });
  expect(await violations(page)).toEqual([]);
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
