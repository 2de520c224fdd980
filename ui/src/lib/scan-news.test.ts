import { expect, it } from "vitest";

import type { Scan } from "../api/types";
import { ScanNews, share } from "./scan-news";

function scan(state: Scan["state"], progress?: Scan["progress"]): Scan {
  return {
    id: 1,
    state,
    progress,
    source: { kind: "upload", name: "app.tar", size_bytes: 5 },
    problems: 0,
    requested_by: "ada",
    created: "2026-11-22T00:00:00Z",
  };
}

it("tells beginning and end, and progress now and then", () => {
  const news = new ScanNews();
  const at = (layer: number) => scan("running", { layer, layers: 9, bytes_read: 0 });
  const heard = [
    news.hear(scan("queued"), 0),
    news.hear(at(1), 1_000),
    news.hear(at(2), 2_000),
    news.hear(at(3), 16_500),
    news.hear(at(4), 17_000),
    news.hear(scan("done"), 18_000),
    news.hear(scan("done"), 19_000),
  ];
  expect(heard).toEqual([
    undefined,
    "Scan of app.tar started",
    undefined,
    "app.tar: layer 3 of 9",
    undefined,
    "Scan of app.tar is done",
    undefined,
  ]);
});

it("knows how far a scan is", () => {
  const progress = { layer: 2, layers: 4, bytes_read: 30 };
  expect(share(scan("queued"))).toBeUndefined();
  expect(share(scan("running", { ...progress, bytes_total: 120 }))).toBe(0.25);
  expect(share(scan("running", { ...progress, bytes_total: 20 }))).toBe(1);
  expect(share(scan("running", progress))).toBe(0.25);
  expect(share(scan("running", { ...progress, layer: 0, layers: 0 }))).toBeUndefined();
});
