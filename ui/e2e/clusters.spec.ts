// A cluster that a sensor tells of: from the empty list to one workload, by keyboard, and live when the workload changes.

import { expect, type Page, test } from "@playwright/test";

import { violations } from "./axe";
import { SESSION_FILE } from "./environment";

test.use({ storageState: SESSION_FILE });

const TIME = "2030-01-01T00:00:00Z";
const collection = (status = "ok", detail?: string) => ({ status, detail, source: "https://10.0.0.1", items: [] });

function deployment(name: string, privileged: boolean) {
  return {
    id: `Deployment/shop/${name}`,
    name,
    data: {
      kind: "Deployment", apiVersion: "apps/v1", namespace: "shop", name,
      object: { labels: {}, annotations: {} }, labels: {}, annotations: {}, images: [], departs: [], static: false,
      spec: { containers: [{ name: "a", image: "registry.example/a:1", securityContext: { privileged } }] },
      effective: { pod: {}, containers: [] },
    },
  };
}

const NODE = { id: "Node/n1", name: "n1", data: { kind: "Node", name: "n1", namespace: "", kubelet: "v1.31.4", os_image: "Debian GNU/Linux 13", roles: ["worker"], ready: true, os: "linux" } };
const CLUSTER = { id: "cluster", name: "Cluster", data: { uid: "c1", version: "v1.31.4", minor: 31, managed: false, nodes: { count: 1, versions: {}, runtimes: {}, os_images: {} }, cni: [], secret_stores: [] } };
const FACTS = { "kubernetes.cluster": [CLUSTER], "kubernetes.node": [NODE], "kubernetes.workload": [deployment("web", false), deployment("db", true)] };

/** What an observer does: an index, what is wanted, then changes. */
class Observer {
  private revision = "";

  private constructor(
    private readonly page: Page,
    private readonly headers: Record<string, string>,
  ) {}

  static async join(page: Page): Promise<Observer> {
    const session = (await (await page.request.get("/api/v1/session")).json()) as { csrf_token: string };
    const headers = { "x-csrf-token": session.csrf_token };
    const made = await page.request.post("/api/v1/join-tokens", { headers, data: { name: "e2e", hours: 1 } });
    const { secret } = (await made.json()) as { secret: string };
    const joined = await page.request.post("/api/v1/join", { data: { token: secret, name: "prod", version: "0.1.0" } });
    const { token } = (await joined.json()) as { token: string };
    return new Observer(page, { authorization: `Bearer ${token}` });
  }

  async index(): Promise<void> {
    const hashes = Object.fromEntries(
      Object.entries(FACTS).map(([kind, facts]) => [kind, Object.fromEntries(facts.map(({ id }) => [id, "0".repeat(32)]))]),
    );
    const collections = {
      ...Object.fromEntries(Object.keys(FACTS).map((kind) => [kind, collection()])),
      "kubernetes.ingress": collection("denied", "the reader's role lacks `list` on `ingresses`"),
    };
    const data = { schema: "seareeve.fact-index/1", asset_kind: "kubernetes-cluster", asset_id: "c1", asset_name: "prod", collected_at: TIME, collector: "seareeve 0.1.0", collections, hashes };
    const answer = await this.page.request.put("/api/v1/facts/index", { headers: this.headers, data });
    expect(answer.status()).toBe(200);
    this.revision = ((await answer.json()) as { revision: string }).revision;
    await this.put(FACTS);
  }

  async put(put: Record<string, unknown[]>): Promise<void> {
    const data = { schema: "seareeve.fact-delta/1", asset_id: "c1", collected_at: TIME, base: this.revision, put };
    const answer = await this.page.request.patch("/api/v1/facts", { headers: this.headers, data });
    expect(answer.status()).toBe(200);
    this.revision = ((await answer.json()) as { revision: string }).revision;
  }
}

/** Broken rules of accessibility, in both themes. */
async function accessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // Colours that are on their way to the other theme are in neither.
    await page.evaluate(() => {
      for (const animation of document.getAnimations()) {
        if (Number.isFinite(animation.effect?.getComputedTiming().endTime)) animation.finish();
      }
    });
    expect(await violations(page), colorScheme).toEqual([]);
  }
}

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

  const observer = await Observer.join(page);
  await observer.index();
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
  await expect(pane.getByText("db", { exact: true })).toBeVisible();
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
  await observer.put({ "kubernetes.workload": [deployment("web", true)] });
  await expect(page.getByText("2 workloads", { exact: true })).toBeVisible();
  await observer.put({ "kubernetes.workload": [deployment("web", false), deployment("db", false)] });
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
  const id = page.url().match(/clusters\/(\d+)/)?.[1];
  const session = (await (await page.request.get("/api/v1/session")).json()) as { csrf_token: string };
  const gone = await page.request.delete(`/api/v1/clusters/${id}`, { headers: { "x-csrf-token": session.csrf_token } });
  expect(gone.status()).toBe(204);
});
