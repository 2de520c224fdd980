// The first quarter of an hour of a new user, from the printed link to the first fixed filter. The steps build on each
// other: when one fails, those after it have nothing to stand on.

import { basename } from "node:path";

import { expect, type Page, test } from "@playwright/test";

import { IMAGE, PASSWORD, SESSION_FILE, SIGN_IN_LINK } from "./environment";

test.describe.configure({ mode: "serial" });

let page: Page;
let name: string;

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
});
test.afterAll(async () => {
  await page.close();
});

const rows = () => page.getByRole("table", { name: "Findings" }).locator("tbody tr[data-index]");
const pane = () => page.getByRole("complementary");

test("a wanted address leads to the sign-in page first", async () => {
  await page.goto("/scans");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  expect(new URL(page.url()).search).toBe("?to=/scans");
});

test("the one-time link signs in and leaves no trace in the address", async () => {
  const link = new URL(SIGN_IN_LINK);
  await page.goto(link.pathname + link.hash);
  await expect(page.getByRole("heading", { name: "Choose a password" })).toBeVisible();
  expect(new URL(page.url()).hash).toBe("");
});

test("a password has to be chosen, and a short one is refused", async () => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Choose a password" })).toBeVisible();
  const field = page.getByLabel("New password");
  await field.fill("short");
  await expect(page.getByText("7 characters more, please.")).toBeVisible();
  await field.fill(PASSWORD);
  await page.getByRole("button", { name: "Save and go on" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
});

test("the empty overview teaches the first step", async () => {
  await expect(page.getByRole("heading", { name: "Scan your first image" })).toBeVisible();
  await expect(page.getByText("docker save app:1 -o app.tar")).toBeVisible();
});

test("a used link is refused in words", async ({ browser }) => {
  const other = await browser.newPage();
  const link = new URL(SIGN_IN_LINK);
  await other.goto(link.pathname + link.hash);
  await expect(other.getByRole("alert")).toContainText("used up or too old");
  await expect(other.getByLabel("Password")).toBeVisible();
  await other.close();
});

test("an uploaded archive is scanned, and its progress is shown", async () => {
  const states: string[] = [];
  await page.exposeFunction("sawState", (text: string) => states.push(text));
  // A small image is done in a blink: the page itself has to remember what it showed.
  await page.evaluate(() => {
    const watch = window as unknown as { sawState: (text: string) => void };
    new MutationObserver(() => {
      for (const state of document.querySelectorAll(".scan-state, .drop-progress")) watch.sawState(state.textContent ?? "");
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await page.locator("input[type=file]").setInputFiles(IMAGE);
  const done = page.locator(".scan-list li", { hasText: basename(IMAGE) });
  await expect(done.getByText("Done")).toBeVisible({ timeout: 45_000 });
  expect(states.some((text) => text.startsWith("Uploading") || text === "Queued" || text === "Running")).toBe(true);
  await expect(page.getByRole("heading", { name: "Worst images" })).toBeVisible();
  await done.getByRole("link").click();
  await expect(page.getByRole("navigation", { name: "View" })).toBeVisible();
  await expect(rows().first()).toBeVisible();
});

test("a filter is in the address, and a reload keeps it", async () => {
  const all = await page.getByText(/^[\d,]+ findings?$/).textContent();
  const chip = page.getByRole("group", { name: "Severity" }).getByRole("button").first();
  const label = (await chip.textContent()) ?? "";
  await chip.click();
  await expect(page).toHaveURL(/\?severity=[a-z]+$/);
  await page.reload();
  await expect(page.getByRole("group", { name: "Severity" }).getByRole("button", { pressed: true })).toHaveText(label);
  const severity = new URL(page.url()).searchParams.get("severity") ?? "";
  for (const row of await rows().all()) await expect(row).toContainText(new RegExp(severity, "i"));
  await page.getByRole("group", { name: "Severity" }).getByRole("button", { pressed: true }).click();
  await expect(page.getByText(all ?? "", { exact: true })).toBeVisible();
});

test("text that nothing matches offers the way back", async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("no such thing anywhere");
  await expect(page.getByText("No finding matches these filters")).toBeVisible();
  await page.getByRole("button", { name: /^Drop filter/ }).click();
  await expect(rows().first()).toBeVisible();
});

test("a finding opens beside the list, with remedy and evidence", async () => {
  const id = (await rows().first().getByRole("link").textContent()) ?? "";
  await rows().first().getByRole("link").click();
  await expect(pane().getByRole("heading", { name: id })).toBeVisible();
  for (const part of ["Remedy", "Description", "Evidence"]) {
    await expect(pane().getByRole("heading", { name: part, exact: true })).toBeVisible();
  }
  await expect(pane().getByText("Package URL")).toBeVisible();
  await page.reload();
  await expect(pane().getByRole("heading", { name: id })).toBeVisible();
  for (const link of await pane().getByRole("link").all()) {
    expect(await link.getAttribute("href")).toMatch(/^https?:/);
    expect(await link.getAttribute("rel")).toBe("noreferrer noopener");
  }
});

test("the keyboard is enough", async () => {
  await page.keyboard.press("Escape");
  await expect(pane()).toHaveCount(0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const count = await rows().count();
  await page.reload();
  await expect(rows().first()).toBeVisible();
  await page.keyboard.press("j");
  await expect(rows().nth(0).getByRole("link")).toBeFocused();
  if (count > 1) {
    await page.keyboard.press("j");
    await expect(rows().nth(1).getByRole("link")).toBeFocused();
    await page.keyboard.press("k");
    await expect(rows().nth(0).getByRole("link")).toBeFocused();
  }
  await page.keyboard.press("Enter");
  await expect(pane()).toBeVisible();
  const first = page.url();
  if (count > 1) {
    await page.keyboard.press("j");
    await expect(page).not.toHaveURL(first);
    await page.keyboard.press("k");
    await expect(page).toHaveURL(first);
  }
  await page.keyboard.press("Escape");
  await expect(pane()).toHaveCount(0);
  await expect(rows().nth(0).getByRole("link")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { name: "Images" })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  // Also those that only some page has: who deals with alerts finds them here.
  await expect(page.getByText("Resolve the open alert")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Command palette" })).toBeFocused();
  await page.keyboard.type("sett");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
});

test("packages lead to their findings", async () => {
  await page.goto("/images");
  await page.locator("[data-row-link]").first().click();
  await page.getByRole("navigation", { name: "View" }).getByRole("link", { name: /^Packages/ }).click();
  await expect(page).toHaveURL(/\?tab=packages$/);
  await page.getByLabel("Vulnerable only").check();
  await expect(page).toHaveURL(/vulnerable=true/);
  const packages = page.getByRole("table", { name: "Packages" });
  await expect(packages.locator("tbody tr[data-index]").first().getByRole("cell").nth(3)).toHaveText(/^\d+$/);
  await packages.getByRole("link").first().click();
  await expect(page).toHaveURL(/\?of=\d+$/);
  await expect(rows().first()).toBeVisible();
});

test("a token's secret is shown once", async () => {
  await page.goto("/settings");
  name = (await page.locator(".who").textContent()) ?? "";
  await page.getByLabel("What for").fill("pipeline");
  await page.getByRole("button", { name: "Create token" }).click();
  const dialog = page.getByRole("dialog", { name: "Copy this secret now" });
  const secret = await dialog.getByLabel("Token secret", { exact: true }).inputValue();
  expect(secret.length).toBeGreaterThan(20);
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await expect(page.getByRole("cell", { name: "pipeline", exact: true })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("cell", { name: "pipeline", exact: true })).toBeVisible();
  expect(await page.content()).not.toContain(secret);
  await page.getByRole("button", { name: "Delete pipeline" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No tokens yet")).toBeVisible();
});

test("signing out ends it, and the password begins it again", async () => {
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.goto("/images?sort=name");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("wrong");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/images\?sort=name$/);
  await expect(page.getByRole("table", { name: "Images" })).toBeVisible();
  await page.context().storageState({ path: SESSION_FILE });
});
