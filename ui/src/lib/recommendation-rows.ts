// Which recommendations a list shows, and how they stand beneath their score groups. Pure.

import type { Recommendation, RecommendationGroup } from "../api/types";
import type { Health, RecommendationsSearch } from "./estate-filters";

/** The worst that is said of any asset. */
export function stateOf({ healthy, unhealthy, unknown }: Pick<Recommendation, "healthy" | "unhealthy" | "unknown">): Health {
  if (unhealthy > 0) return "unhealthy";
  if (unknown > 0) return "unknown";
  return healthy > 0 ? "healthy" : "not_applicable";
}

/** Whether the filters leave it. */
export function fits(one: Recommendation, { q, severity, group, kind, status }: RecommendationsSearch): boolean {
  if (severity !== undefined && !severity.split(",").includes(one.severity)) return false;
  if (group !== undefined && !one.score_groups.includes(group)) return false;
  if (kind !== undefined && one.asset !== kind) return false;
  if (status !== undefined && stateOf(one) !== status) return false;
  return q === undefined || one.title.toLowerCase().includes(q.toLowerCase());
}

/** A line of the grouped list: a score group, or one of its recommendations. */
export type Row =
  | { key: string; group: RecommendationGroup; shown: number; isOpen: boolean }
  | { key: string; group: undefined; one: Recommendation; potential: number };

/** Which groups are open. Without a word in the address: none, or all where a filter leaves but some of what is in them. */
export function openGroups(groups: RecommendationGroup[], search: RecommendationsSearch): ReadonlySet<string> {
  const open = search.open ?? usual(search);
  if (open === "none") return new Set();
  return open === "all" ? new Set(groups.map(({ id }) => id)) : new Set(open.split(","));
}

/** What the address says when these are open. */
export function openIn(groups: RecommendationGroup[], open: ReadonlySet<string>, search: RecommendationsSearch): string | undefined {
  const some = groups.map(({ id }) => id).filter((id) => open.has(id));
  const said = some.length === 0 ? "none" : some.length === groups.length ? "all" : some.sort().join(",");
  return said === usual(search) ? undefined : said;
}

function usual({ q, severity, group, kind, status }: RecommendationsSearch): "all" | "none" {
  return [q, severity, group, kind, status].some((filter) => filter !== undefined) ? "all" : "none";
}

/** Groups with those of their recommendations that are `shown`; of groups that are closed, only how many. */
export function groupedRows(groups: RecommendationGroup[], shown: Recommendation[], search: RecommendationsSearch): Row[] {
  const byId = new Map(shown.map((one) => [one.id, one]));
  const open = openGroups(groups, search);
  const rows: Row[] = [];
  for (const group of groups) {
    if (search.group !== undefined && group.id !== search.group) continue;
    const members: Row[] = [];
    for (const { id, potential } of group.recommendations) {
      const one = byId.get(id);
      // One of several groups stands in each, so its own id would not do as a key.
      if (one !== undefined) members.push({ key: `${group.id}/${id}`, group: undefined, one, potential });
    }
    if (members.length === 0) continue;
    const isOpen = open.has(group.id);
    rows.push({ key: group.id, group, shown: members.length, isOpen });
    if (isOpen) rows.push(...members);
  }
  return rows;
}
