import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { apply, calmly, withScan } from "./events";
import type { Scan, ScanPage } from "./types";

function scan(id: number, state: Scan["state"] = "queued"): Scan {
  return {
    id,
    state,
    source: { kind: "reference", reference: `app:${id}` },
    problems: 0,
    requested_by: "ada",
    created: "2026-11-22T00:00:00Z",
    finished: state === "done" ? "2026-11-22T00:01:00Z" : null,
  };
}

function list(...pages: Scan[][]): { pages: ScanPage[]; pageParams: unknown[] } {
  return { pages: pages.map((scans) => ({ scans })), pageParams: pages.map(() => undefined) };
}

describe("a scan that moved on", () => {
  it("is replaced where it stands", () => {
    const next = withScan(list([scan(3)], [scan(2), scan(1)]), scan(2, "running"));
    expect(next.pages.map((page) => page.scans.map((s) => [s.id, s.state]))).toEqual([
      [[3, "queued"]],
      [
        [2, "running"],
        [1, "queued"],
      ],
    ]);
  });
  it("stays ended when an older state comes late", () => {
    const states = (late: Scan) => withScan(list([scan(1, "done")]), late).pages[0]?.scans.map((s) => s.state);
    expect(states(scan(1, "queued"))).toEqual(["done"]);
    expect(states(scan(1, "done"))).toEqual(["done"]);
  });
  it("comes first when it is new", () => {
    expect(withScan(list([scan(1)], []), scan(2)).pages[0]?.scans.map((s) => s.id)).toEqual([2, 1]);
    expect(withScan(list(), scan(2)).pages).toEqual([]);
  });
});

describe("an event", () => {
  const refreshed = (event: Parameters<typeof apply>[1]) => {
    const seen: string[] = [];
    apply(new QueryClient(), event, (key) => seen.push(key.join("/")));
    return seen;
  };
  it("refreshes what it touches and no more", () => {
    expect(refreshed({ type: "scan", scan: scan(1, "running") })).toEqual([]);
    expect(refreshed({ type: "scan", scan: scan(1, "done") })).toEqual(["overview", "images", "image"]);
    expect(refreshed({ type: "images" })).toEqual(["overview", "images", "image", "vex"]);
    expect(refreshed({ type: "database" })).toEqual(["status", "overview", "vex"]);
    expect(refreshed({ type: "reset" })).toContain("scans");
  });
});

describe("bursts", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  it("become one call at once and one at the end", () => {
    const act = vi.fn();
    const refresh = calmly(act);
    for (let n = 0; n < 10; n += 1) refresh(["images"]);
    refresh(["overview"]);
    expect(act).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(2000);
    expect(act).toHaveBeenCalledTimes(3);
    vi.advanceTimersByTime(5000);
    expect(act).toHaveBeenCalledTimes(3);
  });
});
