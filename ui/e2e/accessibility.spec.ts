// Every page, in both themes, against the WCAG rules that a machine can check.

import { expect, type Page, test } from "@playwright/test";

import { violations } from "./axe";
import { SESSION_FILE } from "./environment";

test.use({ storageState: SESSION_FILE });

/** The first image's page, with `search`. */
async function openImage(page: Page, search: string): Promise<void> {
  await page.goto("/images");
  const href = await page.locator("[data-row-link]").first().getAttribute("href");
  await page.goto(`${href}${search}`);
}

const PAGES: [string, (page: Page) => Promise<void>][] = [
  ["overview", (page) => page.goto("/").then(() => expect(page.getByRole("table")).toBeVisible())],
  ["images", (page) => page.goto("/images").then(() => expect(page.getByRole("table")).toBeVisible())],
  [
    "images, filtered empty",
    (page) => page.goto("/images?q=nothing").then(() => expect(page.getByText("No image matches")).toBeVisible()),
  ],
  ["image", (page) => openImage(page, "").then(() => expect(page.getByRole("table")).toBeVisible())],
  ["packages", (page) => openImage(page, "?tab=packages").then(() => expect(page.getByRole("table")).toBeVisible())],
  [
    "secrets",
    (page) => openImage(page, "?tab=secrets").then(() => expect(page.getByText(/^(No secrets found|Whoever can pull)/)).toBeVisible()),
  ],
  [
    "downloads",
    async (page) => {
      // Where the open menu lies over nothing else.
      await openImage(page, "?tab=secrets");
      await page.locator("summary", { hasText: "Download" }).click();
      await expect(page.getByRole("link", { name: "SPDX" })).toBeVisible();
    },
  ],
  [
    "finding",
    async (page) => {
      await openImage(page, "");
      await page.locator("[data-row-link]").first().click();
      await expect(page.getByRole("heading", { name: "Remedy" })).toBeVisible();
    },
  ],
  ["hosts", (page) => page.goto("/hosts").then(() => expect(page.getByText(/No host has joined|1 host/)).toBeVisible())],
  [
    "recommendations",
    (page) => page.goto("/recommendations").then(() => expect(page.getByText(/about assets that are not connected/)).toBeVisible()),
  ],
  ["score", (page) => page.goto("/score").then(() => expect(page.getByText(/No score yet|What changed it/)).toBeVisible())],
  ["exemptions", (page) => page.goto("/exemptions").then(() => expect(page.getByText(/Nothing is exempt|exemption/).first()).toBeVisible())],
  ["compliance", (page) => page.goto("/compliance").then(() => expect(page.getByRole("table")).toBeVisible())],
  ["benchmark", (page) => page.goto("/compliance/cis-docker").then(() => expect(page.getByRole("table", { name: "Compliance" })).toBeVisible())],
  ["sensors", (page) => page.goto("/sensors").then(() => expect(page.getByRole("button", { name: "Make a join token" })).toBeVisible())],
  ["own checks", (page) => page.goto("/checks").then(() => expect(page.getByRole("button", { name: "Test and keep" })).toBeVisible())],
  ["alerts", (page) => page.goto("/alerts").then(() => expect(page.getByRole("link", { name: "Connect an audit log" })).toBeVisible())],
  ["incidents", (page) => page.goto("/incidents").then(() => expect(page.getByText("No incidents")).toBeVisible())],
  ["suppression rules", (page) => page.goto("/suppressions").then(() => expect(page.getByText("No rules")).toBeVisible())],
  ["detections", (page) => page.goto("/detections").then(() => expect(page.getByRole("table")).toBeVisible())],
  [
    "detection",
    (page) =>
      page.goto("/detections?detection=exec-into-pod").then(() => expect(page.getByRole("heading", { name: "What it sees" })).toBeVisible()),
  ],
  ["own rules", (page) => page.goto("/detections/files").then(() => expect(page.getByText("No rule files")).toBeVisible())],
  ["named lists", (page) => page.goto("/detections/lists").then(() => expect(page.getByRole("table")).toBeVisible())],
  ["threat intelligence", (page) => page.goto("/intel").then(() => expect(page.getByText("No list yet")).toBeVisible())],
  ["audit sources", (page) => page.goto("/audit").then(() => expect(page.getByText("No cluster yet")).toBeVisible())],
  ["admission", (page) => page.goto("/kubernetes/admission").then(() => expect(page.getByRole("heading", { level: 1 })).toBeVisible())],
  ["connectors", (page) => page.goto("/connect").then(() => expect(page.getByRole("heading", { level: 1 })).toBeVisible())],
  ["scans", (page) => page.goto("/scans").then(() => expect(page.getByRole("table")).toBeVisible())],
  [
    "settings",
    (page) => page.goto("/settings").then(() => expect(page.getByRole("columnheader", { name: "Role" })).toBeVisible()),
  ],
  [
    "palette",
    async (page) => {
      await page.goto("/scans");
      await expect(page.getByRole("table")).toBeVisible();
      await page.keyboard.press("Control+k");
      await expect(page.getByRole("combobox")).toBeVisible();
    },
  ],
  [
    "not found",
    (page) => page.goto("/nowhere").then(() => expect(page.getByText("nothing at this address")).toBeVisible()),
  ],
];

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    for (const [name, open] of PAGES) {
      test(name, async ({ page }) => {
        await open(page);
        expect(await violations(page)).toEqual([]);
      });
    }
    test("sign-in", async ({ browser }) => {
      const context = await browser.newContext({ colorScheme, storageState: { cookies: [], origins: [] } });
      const page = await context.newPage();
      await page.goto("/");
      await expect(page.getByLabel("Password")).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await context.close();
    });
  });
}

test("the theme chosen in the application wins over the system's, and is remembered", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/settings");
  await page.getByRole("radio", { name: "Dark" }).check();
  await page.reload();
  await expect(page.getByRole("radio", { name: "Dark" })).toBeChecked();
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(background).toBe("rgb(12, 21, 23)");
});

test("zoomed to 200 %, nothing is cut off sideways", async ({ page }) => {
  await page.setViewportSize({ width: 720, height: 450 });
  for (const path of ["/", "/images", "/hosts", "/clusters", "/kubernetes/admission", "/recommendations", "/alerts", "/incidents", "/suppressions", "/audit", "/intel", "/score", "/exemptions", "/compliance", "/compliance/cis-docker", "/sensors", "/checks", "/connect", "/scans", "/settings"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const [inner, outer] = await page.evaluate(() => [document.body.scrollWidth, document.documentElement.clientWidth]);
    expect(inner, path).toBeLessThanOrEqual(outer ?? 0);
  }
});
