// What is set for a recommendation: seen, tried on a cluster, refused at its field, kept, and taken back.

import { expect, test } from "@playwright/test";

import { SESSION_FILE } from "./environment";
import { csrf } from "./estate";
import { accessible, Observer, workload } from "./observer";

test.use({ storageState: SESSION_FILE });

const PAGE = "/recommendations/kubernetes-trusted-images";

test("settings say what they would change before they are kept", async ({ page }) => {
  test.slow();
  const observer = await Observer.join(page, "settings-1", "settled");
  await observer.index([workload("web", false), workload("db", false)]);
  await observer.judged();

  await page.goto(PAGE);
  const settings = page.getByRole("region", { name: "Settings" });
  await expect(settings.getByText("^(.+){0}$")).toBeVisible();
  await expect(settings.getByText("this has to be set")).toBeVisible();
  await expect(settings.getByText("kube-system", { exact: false })).toBeVisible();
  await accessible(page);
  await settings.getByText("What was set before").click();
  await expect(settings.getByText("Nobody has set anything yet.")).toBeVisible();

  await settings.getByRole("button", { name: "Change settings" }).click();
  const dialog = page.getByRole("dialog");
  const images = dialog.getByLabel("Regular expression that trusted images match");
  await images.fill("(");
  await dialog.getByRole("button", { name: "What would change" }).click();
  await expect(dialog.getByRole("alert")).toContainText("allowed_images cannot be used");
  await expect(images).toHaveAttribute("aria-invalid", "true");
  await accessible(page);

  await images.fill("^registry\\.example/");
  await dialog.getByRole("button", { name: "What would change" }).click();
  await expect(dialog.getByText(/settled: Unhealthy → Healthy, 2 → 0 objects failing/)).toBeVisible();
  await dialog.locator("summary", { hasText: "2 objects would no longer fail" }).click();
  await expect(dialog.getByText("Deployment/shop/web")).toBeVisible();
  await accessible(page);
  // What is shown is of what stands in the fields.
  await dialog.getByLabel(/^Namespaces left out/).fill("shop");
  await expect(dialog.getByText("objects failing")).toBeHidden();
  await dialog.getByRole("button", { name: "What would change" }).click();
  await expect(dialog.getByText(/settled: Unhealthy → Not applicable/)).toBeVisible();
  await dialog.getByLabel(/^Namespaces left out/).fill("kube-system");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(settings.getByText("Changed by")).toBeVisible();
  await expect(page.getByRole("link", { name: /^Healthy 1/ })).toBeVisible();
  await expect(settings.getByText('allowed_images: "^registry', { exact: false })).toBeVisible();

  await settings.getByRole("button", { name: "Reset to defaults" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Reset to defaults" }).click();
  await expect(page.getByRole("link", { name: /^Unhealthy 1/ })).toBeVisible();
  await expect(settings.getByText("back to defaults")).toBeVisible();
  await observer.leave();
});

test("settings that cannot be had say so, and readers see no button", async ({ page, browser, baseURL }) => {
  const error = { status: 500, code: "internal", detail: "the server failed; its log has the cause", request_id: "abc-123" };
  await page.route("**/settings", (route) => route.fulfill({ status: 500, contentType: "application/json", body: JSON.stringify({ error }) }));
  await page.goto(PAGE);
  await expect(page.getByText("Request abc-123")).toBeVisible();
  await page.unroute("**/settings");
  const made = await page.request.post("/api/v1/users", { headers: await csrf(page), data: { name: "rea-settings", role: "reader" } });
  const { sign_in_path: link } = (await made.json()) as { sign_in_path: string };
  const context = await browser.newContext({ baseURL, storageState: { cookies: [], origins: [] } });
  const reader = await context.newPage();
  await reader.goto(link);
  const passwords = reader.locator("input[type=password]");
  await expect(passwords.first()).toBeVisible();
  for (let at = 0; at < (await passwords.count()); at++) await passwords.nth(at).fill("kelp-anchor-lantern-44");
  await reader.keyboard.press("Enter");
  await expect(reader.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await reader.goto(PAGE);
  await expect(reader.getByText("A security admin can change the settings.")).toBeVisible();
  await expect(reader.getByRole("button", { name: "Change settings" })).toHaveCount(0);
  await context.close();
});
