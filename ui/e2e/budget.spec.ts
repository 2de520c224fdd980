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
