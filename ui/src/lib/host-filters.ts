// What the addresses of the host pages may hold.

import { oneOf, someOf, text } from "./address";
import { SEVERITIES } from "./severity";

export const HOST_STATES = ["unhealthy", "healthy", "unknown", "not_applicable"] as const;
export const HOST_SORTS = ["severity", "name"] as const;
export const CONTROL_STATUSES = ["fail", "error", "not_collected", "needs_review", "excepted", "pass", "not_applicable"] as const;

export type ControlStatus = (typeof CONTROL_STATUSES)[number];

type Values = Record<string, unknown>;

/** The list of hosts. */
export interface HostsSearch {
  q?: string;
  status?: (typeof HOST_STATES)[number];
  engine?: "docker" | "podman";
  sort?: (typeof HOST_SORTS)[number];
}

export function hostsSearch(values: Values): HostsSearch {
  return {
    q: text(values.q),
    status: oneOf(HOST_STATES, values.status),
    engine: oneOf(["docker", "podman"] as const, values.engine),
    sort: oneOf(HOST_SORTS, values.sort),
  };
}

/** One host. */
export interface HostSearch {
  tab?: "containers" | "history";
  q?: string;
  /** Some, joined by commas. */
  status?: string;
  severity?: string;
  level?: "1" | "2";
  /** The control in the pane. */
  control?: string;
  /** The container in the pane: its id. */
  container?: string;
}

export function hostSearch(values: Values): HostSearch {
  return {
    tab: oneOf(["containers", "history"] as const, values.tab),
    q: text(values.q),
    status: someOf(CONTROL_STATUSES, values.status),
    severity: someOf(SEVERITIES, values.severity),
    level: oneOf(["1", "2"] as const, values.level),
    control: text(values.control),
    container: text(values.container),
  };
}
