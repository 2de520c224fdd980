// Machines that join, as sensors do it, for tests that need something to look at.

import { expect, type Page } from "@playwright/test";

const some = (items: unknown[]) => ({ status: "ok", source: "a test", items });

/** An image on a machine, with a container that runs it. */
interface OnHost {
  id: string;
  name: string;
  container: string;
}

const facts = (name: string, images: readonly OnHost[]) => ({
  schema: "seareeve.facts/1",
  asset_kind: "docker-host",
  asset_id: `e2e-${name}`,
  asset_name: name,
  collected_at: "2030-01-01T00:00:00Z",
  collector: "seareeve 0.1.0",
  facts: {
    host: some([{ id: "host", name, data: { hostname: name, kernel: "6.12.0" } }]),
    "docker.daemon": some([
      { id: "e1", name: "docker", data: { engine: "docker", endpoint: "unix:///run/docker.sock", version: { Version: "29.1.0" }, effective: {}, hosts: [] } },
    ]),
    "docker.container": some([
      { id: "c1", name: "web", data: { engine: "e1", State: { Status: "running", Running: true }, Config: { Image: "web:1" }, HostConfig: { Privileged: true } } },
      ...images.map(({ id, name: image, container }) => ({
        id: `c-${container}`,
        name: container,
        data: { engine: "e1", Image: id, State: { Status: "running", Running: true }, Config: { Image: image }, HostConfig: {} },
      })),
    ]),
    "docker.image": some(
      images.map(({ id, name: image, container }) => ({
        id,
        name: image,
        data: { engine: "e1", Id: id, RepoTags: [image], RepoDigests: [], dangling: false, used_by: [`c-${container}`], Config: {}, history: [], env: [] },
      })),
    ),
  },
});

/** What requests that change something carry. */
export async function csrf(page: Page): Promise<Record<string, string>> {
  const session = (await (await page.request.get("/api/v1/session")).json()) as { csrf_token: string };
  return { "x-csrf-token": session.csrf_token };
}

/** A machine joins and is judged. Returns its number. */
export async function join(page: Page, name: string, environment = "default", images: readonly OnHost[] = []): Promise<number> {
  const made = await page.request.post("/api/v1/join-tokens", { headers: await csrf(page), data: { name: `for ${name}`, hours: 1, environment } });
  const { secret } = (await made.json()) as { secret: string };
  const joined = await page.request.post("/api/v1/join", { data: { token: secret, name, version: "0.1.0" } });
  const { token } = (await joined.json()) as { token: string };
  const sent = await page.request.put("/api/v1/facts", { headers: { authorization: `Bearer ${token}` }, data: facts(name, images) });
  expect(sent.status()).toBe(200);
  const { host } = (await sent.json()) as { host: number };
  await expect(async () => {
    const asset = (await (await page.request.get(`/api/v1/assets/${host}`)).json()) as { state: string };
    expect(asset.state).toBe("unhealthy");
  }).toPass({ intervals: [50], timeout: 30_000 });
  return host;
}

/** Forgets machines, so that other tests find what they expect. */
export async function forget(page: Page, ids: readonly number[]): Promise<void> {
  for (const id of ids) await page.request.delete(`/api/v1/hosts/${id}`, { headers: await csrf(page) });
}
