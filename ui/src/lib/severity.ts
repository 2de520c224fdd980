// Severities: their order, and what hangs on it.

import type { SeverityCounts } from "../api/types";
import { strings } from "../strings";
import { count } from "./format";

/** Worst first. */
export const SEVERITIES = ["critical", "high", "medium", "low", "unknown"] as const;

export type Severity = (typeof SEVERITIES)[number];

export function isSeverity(text: unknown): text is Severity {
  return SEVERITIES.some((severity) => severity === text);
}

/** The wire has it as text: what a newer server says and we do not know is unknown, never dropped. */
export function asSeverity(text: string): Severity {
  return isSeverity(text) ? text : "unknown";
}

export function total(counts: SeverityCounts): number {
  return SEVERITIES.reduce((sum, severity) => sum + counts[severity], 0);
}

/** For people who hear the page: "2 critical, 10 high". */
export function inWords(counts: SeverityCounts): string {
  const parts = SEVERITIES.filter((severity) => counts[severity] > 0).map(
    (severity) => `${count(counts[severity])} ${strings.severity[severity].toLowerCase()}`,
  );
  return parts.length === 0 ? strings.severity.noFindings : strings.severity.counts(parts.join(", "));
}
