// What is said aloud about scans: every beginning and end, and now and then how far a running one is.

import type { Scan } from "../api/types";
import { strings } from "../strings";

/** Progress of all scans together is said at most this often. */
const PROGRESS_MS = 15_000;

/** The name by which people know what is scanned. */
export function scanName(scan: Scan): string {
  return scan.source.kind === "reference" ? scan.source.reference : scan.source.name;
}

/** Turns states of scans into sentences; undefined when there is nothing to say. */
export class ScanNews {
  readonly #states = new Map<number, Scan["state"]>();
  #lastProgress = Number.NEGATIVE_INFINITY;

  hear(scan: Scan, nowMs: number): string | undefined {
    const before = this.#states.get(scan.id);
    this.#states.set(scan.id, scan.state);
    const name = scanName(scan);
    switch (scan.state) {
      case "queued":
        return undefined;
      case "running": {
        if (before !== "running") {
          this.#lastProgress = nowMs;
          return strings.scans.started(name);
        }
        const { progress } = scan;
        if (progress == null || nowMs - this.#lastProgress < PROGRESS_MS) return undefined;
        this.#lastProgress = nowMs;
        return strings.scans.running(name, progress.layer, progress.layers);
      }
      default:
        return before === scan.state ? undefined : strings.scans.ended[scan.state](name);
    }
  }
}

/** How far a scan is, from 0 to 1; undefined while nobody knows. */
export function share(scan: Scan): number | undefined {
  const { progress } = scan;
  if (progress == null) return undefined;
  if (progress.bytes_total != null && progress.bytes_total > 0) {
    return Math.min(1, progress.bytes_read / progress.bytes_total);
  }
  // The layer being read is not yet read.
  return progress.layers > 0 ? Math.max(0, progress.layer - 1) / progress.layers : undefined;
}
