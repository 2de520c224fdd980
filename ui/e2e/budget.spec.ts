// The speed that users of slow machines get: four times less processor than here. What else runs on this machine can
// only make it look worse, so the best of three loads counts.

import { expect, type Page, test } from "@playwright/test";

import { SESSION_FILE } from "./environment";

// Tracing takes pictures, and pictures take time.
test.use({ storageState: SESSION_FILE, trace: "off" });

const SLOWDOWN = 4;
const LOADS = 3;
const LARGEST_PAINT_MS = 1500;
const SHIFT = 0.05;

for (const path of ["/", "/images", "/scans"]) {
  test(`${path} is painted in time and stands still`, async ({ page }) => {
    const cdp = await page.context().newCDPSession(page);
    // Every load is a first one.
    await cdp.send("Network.enable");
    await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
    const measured: Measured[] = [];
    while (measured.length < LOADS && !measured.some(isWithin)) measured.push(await load(page, path));
    console.log(`${path}: ${JSON.stringify(measured)}`);
    expect(measured.filter(isWithin)).not.toEqual([]);
  });
}

interface Measured {
  paintMs: number;
  shift: number;
}

function isWithin({ paintMs, shift }: Measured): boolean {
  return paintMs <= LARGEST_PAINT_MS && shift <= SHIFT;
}

async function load(page: Page, path: string): Promise<Measured> {
  await page.goto(path);
  await expect(page.getByRole("table")).toBeVisible();
  return page.evaluate(async () => {
    const entries = <E extends PerformanceEntry>(type: string) =>
      new Promise<E[]>((resolve) => {
        const observer = new PerformanceObserver((list) => resolve(list.getEntries() as E[]));
        observer.observe({ type, buffered: true });
        // No entry of this type yet means that nothing of the kind happened.
        setTimeout(() => resolve(observer.takeRecords() as E[]), 1000);
      });
    const paints = await entries("largest-contentful-paint");
    const shifts = await entries<PerformanceEntry & { value: number; hadRecentInput: boolean }>("layout-shift");
    return {
      // Without any paint the test must not pass.
      paintMs: Math.round(paints.at(-1)?.startTime ?? Number.MAX_SAFE_INTEGER),
      shift: shifts.reduce((sum, { value, hadRecentInput }) => sum + (hadRecentInput ? 0 : value), 0),
    };
  });
}

const ROWS = 10_000;
const PRESSES = 40;
const NEXT_PAINT_MS = 100;

test("with ten thousand rows loaded, a key is answered in time", async ({ page }) => {
  test.setTimeout(120_000);
  await page.goto("/images");
  const digest = await page.evaluate(sendLargeImage, ROWS);
  await page.goto(`/images/${digest}?tab=packages`);
  const table = page.getByRole("table");
  await expect(table).toBeVisible();
  // Each time the end comes into sight, the next page is asked for.
  await expect(async () => {
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    expect(await page.getByText("package-9999", { exact: true }).count()).toBe(1);
  }).toPass({ intervals: [50], timeout: 90_000 });
  await page.evaluate(() => window.scrollTo(0, 0));
  const rows = await page.locator("table tbody tr").count();
  console.log(`${rows} rows of ${ROWS} stand in the page`);
  expect(rows).toBeLessThan(200);

  await page.evaluate(() => {
    const seen: number[] = [];
    Object.assign(window, { seenKeys: seen });
    const note = (list: PerformanceObserverEntryList) =>
      seen.push(...list.getEntries().filter((entry) => entry.name === "keydown").map((entry) => entry.duration));
    new PerformanceObserver(note).observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);
  });
  for (let press = 0; press < PRESSES; press++) {
    await page.keyboard.press("j");
    await page.waitForTimeout(50);
  }
  const slow = await page.evaluate(() => (window as unknown as { seenKeys: number[] }).seenKeys);
  // Presses that took less than 16 ms are not told; they count as that.
  const all = [...slow, ...Array.from({ length: Math.max(0, PRESSES - slow.length) }, () => 16)].sort((a, b) => a - b);
  const p75 = all[Math.floor(all.length * 0.75)] ?? Number.MAX_SAFE_INTEGER;
  console.log(`next paint after a key: p75 ${p75} ms, slowest ${all.at(-1)} ms`);
  expect(p75).toBeLessThanOrEqual(NEXT_PAINT_MS);
});

/** Runs in the page: sends an SBOM of so many packages with its session, and returns the image's digest. */
async function sendLargeImage(count: number): Promise<string> {
  const session = (await (await fetch("/api/v1/session")).json()) as { csrf_token: string };
  const digest = `sha256:${"5e".repeat(32)}`;
  const sbom = {
    schema_version: 1,
    image: {
      references: ["test/large:1"],
      digest,
      config_digest: digest,
      os: "linux",
      architecture: "amd64",
      created: null,
      layers: [{ diff_id: digest, digest: null, size_bytes: 1, created_by: "made by a test" }],
    },
    distro: null,
    packages: Array.from({ length: count }, (_, number) => ({
      kind: "npm",
      name: `package-${String(number).padStart(4, "0")}`,
      version: "1.0.0",
      source: null,
      ecosystem: "npm",
      purl: `pkg:npm/package-${String(number).padStart(4, "0")}@1.0.0`,
      path: `node_modules/package-${number}/package.json`,
      layer: 0,
    })),
    problems: [],
  };
  const answer = await fetch("/api/v1/sboms", {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": session.csrf_token },
    body: JSON.stringify(sbom),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return digest;
}
