// A cluster that an observer tells of, for tests that need one to look at.

import { expect, type Page } from "@playwright/test";

import { violations } from "./axe";
import { csrf } from "./estate";

const TIME = "2030-01-01T00:00:00Z";

type Facts = Record<string, { id: string; name: string; data: unknown }[]>;

export function workload(name: string, privileged: boolean, kind = "Deployment") {
  return {
    id: `${kind}/shop/${name}`,
    name,
    data: {
      kind, apiVersion: kind === "Pod" ? "v1" : "apps/v1", namespace: "shop", name,
      object: { labels: {}, annotations: {} }, labels: {}, annotations: {}, images: [], departs: [], static: false,
      spec: { containers: [{ name: "a", image: "registry.example/a:1", securityContext: { privileged } }] },
      effective: { pod: {}, containers: [] },
    },
  };
}

export const NODE = {
  id: "Node/n1",
  name: "n1",
  data: { kind: "Node", name: "n1", namespace: "", kubelet: "v1.31.4", os_image: "Debian GNU/Linux 13", roles: ["worker"], ready: true, os: "linux" },
};

const cluster = (uid: string) => ({
  id: "cluster",
  name: "Cluster",
  data: { uid, version: "v1.31.4", minor: 31, managed: false, nodes: { count: 1, versions: {}, runtimes: {}, os_images: {} }, cni: [], secret_stores: [] },
});

/** What an observer does: an index, what is wanted, then changes. */
export class Observer {
  private revision = "";
  /** The cluster's number. */
  asset = 0;

  private constructor(
    private readonly page: Page,
    private readonly headers: Record<string, string>,
    private readonly uid: string,
    private readonly name: string,
  ) {}

  static async join(page: Page, uid: string, name: string): Promise<Observer> {
    const made = await page.request.post("/api/v1/join-tokens", { headers: await csrf(page), data: { name: `for ${name}`, hours: 1 } });
    const { secret } = (await made.json()) as { secret: string };
    const joined = await page.request.post("/api/v1/join", { data: { token: secret, name, version: "0.1.0" } });
    const { token } = (await joined.json()) as { token: string };
    return new Observer(page, { authorization: `Bearer ${token}` }, uid, name);
  }

  async index(workloads: ReturnType<typeof workload>[], denied?: string): Promise<void> {
    const facts: Facts = { "kubernetes.cluster": [cluster(this.uid)], "kubernetes.node": [NODE], "kubernetes.workload": workloads };
    const collection = (status = "ok", detail?: string) => ({ status, detail, source: "https://10.0.0.1", items: [] });
    const hashes = Object.fromEntries(
      Object.entries(facts).map(([kind, items]) => [kind, Object.fromEntries(items.map(({ id }) => [id, "0".repeat(32)]))]),
    );
    const collections = {
      ...Object.fromEntries(Object.keys(facts).map((kind) => [kind, collection()])),
      ...(denied === undefined ? {} : { "kubernetes.ingress": collection("denied", denied) }),
    };
    const data = {
      schema: "seareeve.fact-index/1", asset_kind: "kubernetes-cluster", asset_id: this.uid, asset_name: this.name,
      collected_at: TIME, collector: "seareeve 0.1.0", collections, hashes,
    };
    const answer = await this.page.request.put("/api/v1/facts/index", { headers: this.headers, data });
    expect(answer.status()).toBe(200);
    const taken = (await answer.json()) as { revision: string; asset: number };
    this.revision = taken.revision;
    this.asset = taken.asset;
    await this.put(facts);
  }

  async put(put: Record<string, unknown[]>): Promise<void> {
    const data = { schema: "seareeve.fact-delta/1", asset_id: this.uid, collected_at: TIME, base: this.revision, put };
    const answer = await this.page.request.patch("/api/v1/facts", { headers: this.headers, data });
    expect(answer.status()).toBe(200);
    this.revision = ((await answer.json()) as { revision: string }).revision;
  }

  /** Waits until it is judged. */
  async judged(): Promise<void> {
    await expect(async () => {
      const asset = (await (await this.page.request.get(`/api/v1/assets/${this.asset}`)).json()) as { state: string };
      expect(asset.state).toBe("unhealthy");
    }).toPass({ intervals: [50], timeout: 30_000 });
  }

  /** Forgets the cluster, so that other tests find what they expect. */
  async leave(): Promise<void> {
    const gone = await this.page.request.delete(`/api/v1/clusters/${this.asset}`, { headers: await csrf(this.page) });
    expect(gone.status()).toBe(204);
  }
}

/** Broken rules of accessibility, in both themes. */
export async function accessible(page: Page): Promise<void> {
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
