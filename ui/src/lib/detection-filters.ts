// What the addresses of the pages about detections may hold, and which detections they mean.

import type { DetectionSummary } from "../api/types";
import { oneOf, text } from "./address";
import { ALERT_SEVERITIES, type AlertSeverity } from "./alert-filters";

type Values = Record<string, unknown>;

export const DETECTION_STATUSES = ["on", "off", "tuned", "blind", "unknown", "noisy"] as const;
export type DetectionStatus = (typeof DETECTION_STATUSES)[number];

/** All detections by title, if it says nothing. */
export interface DetectionsSearch {
  q?: string;
  status?: DetectionStatus;
  severity?: AlertSeverity;
  tactic?: string;
  origin?: "built_in" | "own";
  sort?: "noise" | "severity";
  /** The one that is open beside the list. */
  detection?: string;
}

export function detectionsSearch(values: Values): DetectionsSearch {
  return {
    q: text(values.q),
    status: oneOf(DETECTION_STATUSES, values.status),
    severity: oneOf(ALERT_SEVERITIES, values.severity),
    tactic: text(values.tactic),
    origin: oneOf(["built_in", "own"] as const, values.origin),
    sort: oneOf(["noise", "severity"] as const, values.sort),
    detection: text(values.detection),
  };
}

export interface ListsSearch {
  q?: string;
  list?: string;
}

export function listsSearch(values: Values): ListsSearch {
  return { q: text(values.q), list: text(values.list) };
}

export function fits(one: DetectionSummary, { q, status, severity, tactic, origin }: DetectionsSearch): boolean {
  if (severity !== undefined && one.severity !== severity) return false;
  if (tactic !== undefined && !one.tactics.includes(tactic)) return false;
  if (origin !== undefined && (one.origin === "built_in") !== (origin === "built_in")) return false;
  if (status !== undefined && !hasStatus(one, status)) return false;
  if (q === undefined) return true;
  const wanted = q.toLowerCase();
  return [one.title, one.id, one.origin, ...one.aliases, ...one.tactics, ...one.techniques].some((part) =>
    part.toLowerCase().includes(wanted),
  );
}

function hasStatus(one: DetectionSummary, status: DetectionStatus): boolean {
  switch (status) {
    case "on":
      return one.is_on;
    case "off":
      return !one.is_on;
    case "tuned":
      return one.is_tuned;
    case "blind":
      return one.blind_in.length > 0;
    case "unknown":
      return one.coverage === "unknown";
    case "noisy":
      return one.noise.alerts_30_days > 0;
  }
}

/** In the order that was asked for; equal ones by title, as they come. */
export function sorted(all: DetectionSummary[], sort: DetectionsSearch["sort"]): DetectionSummary[] {
  if (sort === undefined) return all;
  const rank = (one: DetectionSummary) =>
    sort === "noise" ? -one.noise.alerts_30_days : ALERT_SEVERITIES.indexOf(one.severity as AlertSeverity);
  return [...all].sort((a, b) => rank(a) - rank(b));
}
