// A cluster that a sensor tells of: from the empty list to one workload, by keyboard, and live when the workload changes.

import { expect, test } from "@playwright/test";

import { SESSION_FILE } from "./environment";
import { accessible, Observer, workload } from "./observer";

test.use({ storageState: SESSION_FILE });

test("a cluster joins, and its workloads say what is wrong as soon as it is", async ({ page }) => {
  // Every view is looked at twice by axe.
  test.slow();
  await page.goto("/clusters");
  await expect(page.getByText("No cluster is watched yet")).toBeVisible();
  await accessible(page);
  await page.getByRole("button", { name: "Make a join command" }).click();
  await expect(page.getByText(/seareeve sensor --kubernetes --server http/)).toBeVisible();
  await expect(page.getByText(/helm install seareeve/)).toBeVisible();
  await accessible(page);
  await page.keyboard.press("Escape");

  const observer = await Observer.join(page, "c1", "prod");
  await observer.index([workload("web", false), workload("db", true)], "the reader's role lacks `list` on `ingresses`");
  // The list hears of it by itself.
  await expect(page.getByRole("row", { name: /prod/ }).getByText("Unhealthy")).toBeVisible();
  await expect(page.getByText("v1.31.4")).toBeVisible();
  await accessible(page);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "prod" })).toBeVisible();
  await expect(page.getByText("Partly watched")).toBeVisible();
  await expect(page.getByRole("row", { name: /n1/ }).getByText("v1.31.4")).toBeVisible();
  await accessible(page);
  await page.getByRole("button", { name: "Privileged containers should be avoided" }).click();
  const pane = page.getByRole("complementary");
  await expect(pane.getByText(/^Failing: 1\./)).toBeVisible();
  await expect(pane.getByText("Deployment/shop/db", { exact: true })).toBeVisible();
  await accessible(page);
  await page.keyboard.press("Escape");
  await expect(pane).toBeHidden();

  await page.getByRole("link", { name: /^Workloads/ }).click();
  await page.getByLabel("Failed check").selectOption({ label: "Containers are not privileged (1)" });
  await expect(page.getByText("1 workload", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "db" }).click();
  await expect(pane.getByText("Containers are not privileged")).toBeVisible();
  await accessible(page);
  // It breaks elsewhere, too, and the page hears of it.
  await observer.put({ "kubernetes.workload": [workload("web", true)] });
  await expect(page.getByText("2 workloads", { exact: true })).toBeVisible();
  await observer.put({ "kubernetes.workload": [workload("web", false), workload("db", false)] });
  await expect(page.getByText("No workload matches")).toBeVisible();
  await page.keyboard.press("Escape");

  await page.getByRole("link", { name: "Controls" }).click();
  await page.getByLabel("Benchmark").selectOption({ index: 3 });
  await expect(page.getByRole("button", { name: /Privileged|privileged/ }).first()).toBeVisible();
  await accessible(page);
  await page.getByLabel("Benchmark").selectOption({ index: 1 });
  await expect(page.getByText(/Not about it: nothing in it says that it is Azure's/)).toBeVisible();
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("row", { name: /pss-baseline/ }).first()).toBeVisible();
  await accessible(page);

  // Other tests count the score's points.
  await observer.leave();
});
