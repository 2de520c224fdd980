// What the addresses of the pages about alerts may hold.

import { oneOf, someOf, text } from "./address";

type Values = Record<string, unknown>;

/** Gravest first. */
export const ALERT_SEVERITIES = ["high", "medium", "low", "informational"] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** In the order in which an alert goes through them. */
export const ALERT_STATES = ["new", "active", "in_progress", "resolved", "dismissed"] as const;
export type AlertState = (typeof ALERT_STATES)[number];

export const ALERT_TABS = ["entities", "related", "raw"] as const;
export type AlertTab = (typeof ALERT_TABS)[number];

/** Alerts. Those that somebody still has to deal with, newest first, if it says nothing. */
export interface AlertsSearch {
  q?: string;
  state?: AlertState | "any";
  severity?: string;
  cluster?: string;
  rule?: string;
  tactic?: string;
  owner?: string;
  entity?: string;
  sort?: "severity";
  /** The one that is open beside the list. */
  alert?: string;
}

export function alertsSearch(values: Values): AlertsSearch {
  return {
    q: text(values.q),
    state: oneOf([...ALERT_STATES, "any"] as const, values.state),
    severity: someOf(ALERT_SEVERITIES, values.severity),
    cluster: text(values.cluster),
    rule: text(values.rule),
    tactic: text(values.tactic),
    owner: text(values.owner),
    entity: text(values.entity),
    sort: oneOf(["severity"] as const, values.sort),
    alert: text(values.alert),
  };
}

/** What a list of alerts is asked for. */
export function alertQuery({ q, state = undefined, alert: _, ...rest }: AlertsSearch) {
  return { ...rest, query: q, state: state === "any" ? undefined : (state ?? "open") };
}

/** Incidents. Those that somebody still has to deal with, if it says nothing. */
export interface IncidentsSearch {
  q?: string;
  state?: "any";
}

export function incidentsSearch(values: Values): IncidentsSearch {
  return { q: text(values.q), state: oneOf(["any"] as const, values.state) };
}

/** What an alert may become next, by what it is. */
export function nextStates(state: string): AlertState[] {
  switch (state) {
    case "new":
    case "active":
      return ["in_progress", "resolved", "dismissed"];
    case "in_progress":
      return ["resolved", "dismissed"];
    default:
      return ["active"];
  }
}
