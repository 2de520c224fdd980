// What the addresses of the cluster pages may hold.

import { oneOf, someOf, text } from "./address";
import { CONTROL_STATUSES, HOST_SORTS, HOST_STATES } from "./host-filters";

export const BENCHMARKS = ["cis-kubernetes", "cis-aks", "nsa-cisa", "pss-baseline", "pss-restricted"] as const;

type Values = Record<string, unknown>;

/** The list of clusters. */
export interface ClustersSearch {
  q?: string;
  status?: (typeof HOST_STATES)[number];
  sort?: (typeof HOST_SORTS)[number];
}

export function clustersSearch(values: Values): ClustersSearch {
  return { q: text(values.q), status: oneOf(HOST_STATES, values.status), sort: oneOf(HOST_SORTS, values.sort) };
}

/** One cluster. */
export interface ClusterSearch {
  tab?: "controls" | "workloads" | "history";
  /** Of controls, or part of a workload's name. */
  q?: string;
  benchmark?: (typeof BENCHMARKS)[number];
  /** Of controls; some, joined by commas. */
  status?: string;
  level?: "1" | "2";
  namespace?: string;
  kind?: string;
  /** Workloads on which this check fails. */
  check?: string;
  sort?: (typeof HOST_SORTS)[number];
  /** In the pane: a control, a workload or a recommendation. */
  control?: string;
  workload?: string;
  recommendation?: string;
}

export function clusterSearch(values: Values): ClusterSearch {
  return {
    tab: oneOf(["controls", "workloads", "history"] as const, values.tab),
    q: text(values.q),
    benchmark: oneOf(BENCHMARKS, values.benchmark),
    status: someOf(CONTROL_STATUSES, values.status),
    level: oneOf(["1", "2"] as const, values.level),
    namespace: text(values.namespace),
    kind: text(values.kind),
    check: text(values.check),
    sort: oneOf(HOST_SORTS, values.sort),
    control: text(values.control),
    workload: text(values.workload),
    recommendation: text(values.recommendation),
  };
}

export type WorkloadFilters = Pick<ClusterSearch, "q" | "namespace" | "kind" | "check" | "sort">;

export function workloadFilters({ q, namespace, kind, check, sort }: ClusterSearch): WorkloadFilters {
  return { q, namespace, kind, check, sort };
}
