// Admission: a recommendation is tried on a cluster, refused in one namespace, and the policy's own settings.

import { expect, test } from "@playwright/test";

import { SESSION_FILE } from "./environment";
import { csrf } from "./estate";
import { accessible, Observer, workload } from "./observer";

test.use({ storageState: SESSION_FILE });

test("a recommendation is tried on what a cluster has, and refused where somebody says so", async ({ page }) => {
  test.slow();
  const observer = await Observer.join(page, "admission-1", "gated");
  await observer.index([workload("web", false), workload("db", true)]);
  await observer.judged();

  await page.goto("/kubernetes/admission");
  await expect(page.getByText("No webhook has reported yet")).toBeVisible();
  await page.getByRole("button", { name: "Edit Privileged containers should be avoided" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "Violations are" }).selectOption("deny");
  await dialog.getByLabel("On what there is in").selectOption({ label: "gated" });
  await dialog.getByRole("button", { name: "Try" }).click();
  await expect(dialog.getByText(/^Of \d+ objects?: 1 refused$/)).toBeVisible();
  await expect(dialog.getByText("Deployment shop/db")).toBeVisible();
  await accessible(page);
  // In one namespace it is only warned of.
  await dialog.getByRole("button", { name: "Add a namespace" }).click();
  await dialog.getByLabel("Namespace", { exact: true }).fill("shop");
  await dialog.getByLabel("Mode", { exact: true }).selectOption("warn");
  await expect(dialog.getByText("1 refused")).toBeHidden();
  await dialog.getByRole("button", { name: "Try" }).click();
  await expect(dialog.getByText(/1 warned of$/)).toBeVisible();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  const row = page.getByRole("row", { name: /kubernetes-privileged/ });
  await expect(row.getByText("Otherwise in shop: warned of")).toBeVisible();
  await expect(row.getByRole("combobox")).toHaveValue("deny");
  await accessible(page);

  // Who refuses in the list itself can try it there, too.
  await page.getByRole("combobox", { name: /^Violations of “Running containers as root/ }).selectOption("deny");
  await dialog.getByRole("button", { name: "Try" }).click();
  await expect(dialog.getByText(/^Of \d+ objects?: \d+ refused$/)).toBeVisible();
  await accessible(page);
  await dialog.getByRole("button", { name: "Cancel" }).click();

  // A parameter that cannot be understood is told at its field.
  await page.getByRole("button", { name: /^Edit Usage of host networking/ }).click();
  const port = dialog.getByLabel("Last one");
  await port.fill("many");
  await expect(dialog.getByText("A whole number is wanted.")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Save" })).toBeDisabled();
  await dialog.getByRole("button", { name: "Use that" }).click();
  await expect(port).toHaveValue("0");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Policy settings" }).click();
  await dialog.getByLabel("What cannot be judged is").selectOption("deny");
  await accessible(page);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: "Policy settings" }).click();
  await expect(dialog.getByLabel("What cannot be judged is")).toHaveValue("deny");
  await page.keyboard.press("Escape");
  const gone = await page.request.delete("/api/v1/admission/policy", { headers: await csrf(page) });
  expect(gone.status()).toBe(204);
  await observer.leave();
});

test("what stands against a webhook's being asked is told beside it", async ({ page }) => {
  const day = (days: number) => new Date(Date.now() + days * 24 * 3600 * 1000).toISOString();
  const refusal = (by: string) => ({ at: day(-0.1), by, why: "bad certificate" });
  const certificate = {
    until: day(200),
    late_from: day(186),
    authority_until: day(3000),
    authority_late_from: day(2940),
    problem: null,
    refusals: [],
  };
  const broken = {
    until: day(5),
    late_from: day(-9),
    authority_until: day(40),
    authority_late_from: day(-20),
    problem: "the certificate could not be renewed: failed to write /data/admission.key: No space left on device",
    refusals: [refusal("10.0.0.1"), refusal("10.0.0.2")],
  };
  for (const [cluster, told] of [["sound", certificate], ["troubled", broken]] as const) {
    const report = { id: "r-1", cluster, gate: `gate-of-${cluster}`, version: "0.1.0", policy: "", reviews: 7, counts: [], samples: [] };
    const data = { ...report, certificate: told };
    const taken = await page.request.post("/api/v1/admission/decisions", { headers: await csrf(page), data });
    expect(taken.status()).toBe(200);
  }
  // Of one that was not heard of for minutes, no test waits to hear nothing.
  await page.route("**/api/v1/admission/decisions*", async (route) => {
    const response = await route.fetch();
    const activity = (await response.json()) as { gates: { cluster: string; away: boolean }[] };
    const gates = activity.gates.map((gate) => ({ ...gate, away: gate.cluster === "troubled" }));
    await route.fulfill({ response, json: { ...activity, gates } });
  });
  await page.goto("/kubernetes/admission");
  const sound = page.getByRole("row", { name: /gate-of-sound/ });
  await expect(sound).toContainText(/ends in \d+ (days|months)/);
  await expect(sound.locator(".admission-warning")).toHaveCount(0);
  const troubled = page.getByRole("row", { name: /gate-of-troubled/ });
  for (const said of [
    "refused by 10.0.0.1 (“bad certificate”), 10.0.0.2 (“bad certificate”). If one of them is the API server",
    "It should have been renewed before.",
    "Its authority ends",
    "No space left on device",
    "No webhook of this cluster was heard of for minutes.",
  ])
    await expect(troubled).toContainText(said);
  await expect(troubled.locator(".admission-warning")).toHaveCount(5);
  await accessible(page);
});

test("a policy that somebody else changed is not overwritten", async ({ page }) => {
  await page.goto("/kubernetes/admission");
  await page.getByRole("button", { name: "Policy settings" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  const policy = { schema: "seareeve.admission/1", mode: "warn" };
  const put = await page.request.put("/api/v1/admission/policy", { headers: await csrf(page), data: { policy } });
  expect(put.status()).toBe(200);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByRole("alert")).toContainText("somebody else changed the policy");
  await page.keyboard.press("Escape");
  await page.request.delete("/api/v1/admission/policy", { headers: await csrf(page) });
});
