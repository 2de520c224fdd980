// Connectors: one that cannot log in says why, is changed, paused, resumed, tried and deleted; and where assets of clouds
// lead to.

import { expect, test } from "@playwright/test";

import { SESSION_FILE } from "./environment";
import { accessible, Observer, workload } from "./observer";

test.use({ storageState: SESSION_FILE });

test("a connector is added, tried, changed and paused", async ({ page }) => {
  test.slow();
  await page.goto("/connect");
  await expect(page.getByText("No cloud is connected yet")).toBeVisible();
  await accessible(page);
  await page.getByRole("button", { name: "Add a connector" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("shop");
  await dialog.getByLabel("Logs in by").selectOption("secret_variable");
  await dialog.getByLabel("Tenant id").fill("no tenant");
  await dialog.getByLabel("Client id").fill("c-1");
  await dialog.getByLabel("Variable", { exact: true }).fill("AZURE_E2E_NOT_THERE");
  // What makes no sense is told beside its field, before anything is made.
  await dialog.getByRole("button", { name: "Test" }).click();
  await expect(dialog.getByRole("alert")).toBeVisible();
  await expect(dialog.getByLabel("Tenant id")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Tenant id").fill("t-1");
  await dialog.getByRole("button", { name: "Test" }).click();
  await expect(dialog.getByText("the server has no environment variable AZURE_E2E_NOT_THERE")).toBeVisible();
  await accessible(page);
  await dialog.getByRole("button", { name: "Add and read" }).click();
  await expect(dialog).toBeHidden();
  const row = page.getByRole("row", { name: /shop/ });
  await expect(row.getByText("Failed")).toBeVisible();
  await expect(row.getByText("next run")).toBeVisible();
  await row.getByText("1 thing could not be read").click();
  await expect(row.getByText("the server has no environment variable AZURE_E2E_NOT_THERE")).toBeVisible();
  await accessible(page);

  await row.getByRole("button", { name: "Test: shop" }).click();
  await expect(dialog.getByText("It does not work: the server has no environment variable AZURE_E2E_NOT_THERE")).toBeVisible();
  await page.keyboard.press("Escape");

  await row.getByRole("button", { name: "Edit: shop" }).click();
  await expect(dialog.getByLabel("Tenant id")).toHaveValue("t-1");
  await expect(dialog.getByLabel("Variable", { exact: true })).toHaveValue("AZURE_E2E_NOT_THERE");
  await dialog.getByLabel("Name", { exact: true }).fill("shop and attic");
  await dialog.getByLabel(/^Subscriptions/).fill("Shop, Attic");
  await dialog.getByLabel(/^Hours/).fill("24");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("every 24 hours")).toBeVisible();
  const changed = page.getByRole("row", { name: /shop and attic/ });
  await expect(changed.getByText("Failed")).toBeVisible();
  await changed.getByRole("button", { name: "Pause: shop and attic" }).click();
  await expect(changed.getByText("Paused")).toBeVisible();
  await expect(changed.getByText("next run")).toBeHidden();
  await accessible(page);
  await changed.getByRole("button", { name: "Resume: shop and attic" }).click();
  await expect(changed.getByText("next run")).toBeVisible();

  await changed.getByRole("button", { name: "Delete shop and attic" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No cloud is connected yet")).toBeVisible();
});

test("a cluster leads to where it can be seen, whoever tells of it", async ({ page }) => {
  const observer = await Observer.join(page, "both-1", "both");
  await observer.index([workload("web", true)]);
  await observer.judged();
  // Seen from within, with or without what its cloud tells.
  await page.goto(`/asset/${observer.asset}`);
  await page.getByRole("link", { name: "both", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/clusters/${observer.asset}$`));
  await expect(page.getByRole("heading", { level: 1, name: "both" })).toBeVisible();

  // By its cloud alone: no page of clusters has it.
  const id = 987_654;
  const asset = {
    id, kind: "kubernetes-cluster", name: "quay", environment: "default", state: "healthy", reason: null, last_seen: "2030-01-01T00:00:00Z",
    unhealthy: 0, healthy: 1, not_applicable: 0, unknown: 0, within: false, part_of: null, potential: 0, recommendations: [],
  };
  const cloud = {
    id, kind: "kubernetes-cluster", cloud_id: "/subscriptions/s/quay", name: "quay", connectors: ["shop"], part_of: null, state: "healthy", reason: null,
    failed: { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 }, first_seen: asset.last_seen, last_seen: asset.last_seen,
    collected_at: asset.last_seen, judged_at: asset.last_seen, recommendations: [],
  };
  await page.route(`**/api/v1/assets/${id}`, (route) => route.fulfill({ json: asset }));
  await page.route(`**/api/v1/cloud-assets/${id}`, (route) => route.fulfill({ json: cloud }));
  await page.goto(`/asset/${id}`);
  await page.getByRole("link", { name: "quay", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/connect/${id}$`));
  await expect(page.getByRole("heading", { level: 1, name: "quay" })).toBeVisible();

  // One side of a cluster says whose it is.
  await page.route(`**/api/v1/assets/${id}`, (route) => route.fulfill({ json: { ...asset, state: "not_applicable", part_of: observer.asset } }));
  await page.goto(`/asset/${id}`);
  await page.getByRole("link", { name: "the cluster" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "both" })).toBeVisible();
  await observer.leave();
});
