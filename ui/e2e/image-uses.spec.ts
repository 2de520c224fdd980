// From what a host runs to what was found in it, and from an image to where it runs; in both themes and for readers.

import { expect, type Page, test } from "@playwright/test";

import { violations } from "./axe";
import { SESSION_FILE } from "./environment";
import { forget, join } from "./estate";

test.use({ storageState: SESSION_FILE });
test.describe.configure({ mode: "serial" });

let host = 0;
let digest = "";

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage({ storageState: SESSION_FILE });
  // The first run left an image.
  const { images } = (await (await page.request.get("/api/v1/images")).json()) as { images: { digest: string }[] };
  digest = images[0]?.digest ?? "";
  expect(digest).not.toBe("");
  host = await join(page, "runner-1", "default", [
    { id: digest, name: "ours:1", container: "shop" },
    { id: `sha256:${"ab".repeat(32)}`, name: "registry.example/unknown:2", container: "other" },
  ]);
  await page.close();
});

test.afterAll(async ({ browser }) => {
  const page = await browser.newPage({ storageState: SESSION_FILE });
  await forget(page, [host]);
  await page.close();
});

test("an asset's images lead to what was found, and back to where they run", async ({ page }) => {
  await page.goto(`/asset/${host}?tab=images`);
  await expect(page.getByText("2 images, of which 1 was not scanned")).toBeVisible();
  await page.getByRole("button", { name: "Not scanned" }).click();
  await expect(page).toHaveURL(/only=unscanned/);
  await expect(page.getByRole("link", { name: "ours:1" })).toBeHidden();
  await expect(page.getByRole("button", { name: "Scan registry.example/unknown:2" })).toBeVisible();
  await page.getByRole("button", { name: "Not scanned" }).click();
  await page.getByRole("link", { name: "ours:1" }).click();
  await expect(page).toHaveURL(new RegExp(`/images/${digest}`));
  await page.getByRole("link", { name: "Runs on" }).click();
  await expect(page.getByRole("link", { name: "shop" })).toBeVisible();
  await page.getByRole("button", { name: "Running now" }).click();
  await expect(page).toHaveURL(/running=true/);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/hosts/${host}\\?tab=containers`));
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`pages of images in use break no rule in ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const [path, text] of [
      [`/asset/${host}?tab=images`, "ours:1"],
      [`/images/${digest}?tab=uses`, "runner-1"],
    ] as const) {
      await page.goto(path);
      await expect(page.getByText(text).first()).toBeVisible();
      expect(await violations(page), path).toEqual([]);
      await shot(page, `${colorScheme}-${path.includes("asset") ? "asset-images" : "image-uses"}`);
    }
  });
}

/** For eyes, where somebody asks for it. */
async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.SEAREEVE_E2E_SHOTS;
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png` });
}
