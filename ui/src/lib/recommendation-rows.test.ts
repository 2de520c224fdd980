import { expect, test } from "vitest";

import type { Recommendation, RecommendationGroup } from "../api/types";
import type { RecommendationsSearch } from "./estate-filters";
import { fits, groupedRows, openGroups, openIn, stateOf } from "./recommendation-rows";

const one = (id: string, more: Partial<Recommendation> = {}): Recommendation => ({
  id,
  title: `Title of ${id}`,
  severity: "high",
  asset: "kubernetes-cluster",
  score_groups: ["access"],
  preview: false,
  quick_fix: false,
  deny: false,
  healthy: 1,
  unhealthy: 1,
  not_applicable: 0,
  unknown: 0,
  potential: 1,
  ...more,
});

const group = (id: string, ...members: string[]): RecommendationGroup => ({
  id,
  title: `Group ${id}`,
  max: 4,
  current: 2,
  potential: 2,
  healthy: 1,
  unhealthy: 1,
  unknown: 0,
  recommendations: members.map((member, at) => ({ id: member, potential: at })),
});

test("a recommendation is what it says of its worst asset", () => {
  const said = { healthy: 1, unhealthy: 1, unknown: 1 };
  expect(stateOf(said)).toBe("unhealthy");
  expect(stateOf({ ...said, unhealthy: 0 })).toBe("unknown");
  expect(stateOf({ ...said, unhealthy: 0, unknown: 0 })).toBe("healthy");
  expect(stateOf({ healthy: 0, unhealthy: 0, unknown: 0 })).toBe("not_applicable");
});

test("all filters hold at once", () => {
  const rbac = one("rbac", { title: "Roles should be used" });
  expect(fits(rbac, {})).toBe(true);
  expect(fits(rbac, { q: "ROLES", severity: "high,low", group: "access", kind: "kubernetes-cluster", status: "unhealthy" })).toBe(true);
  for (const filter of [{ q: "pods" }, { severity: "low" }, { group: "updates" }, { kind: "registry" }, { status: "healthy" }] as const) {
    expect(fits(rbac, filter), JSON.stringify(filter)).toBe(false);
  }
});

const groups = [group("access", "add-on", "rbac", "hidden"), group("network", "add-on"), group("empty", "hidden")];

test("groups hold what is shown of them, and one of two groups stands in both", () => {
  const shown = [one("rbac"), one("add-on")];
  const keys = (search: RecommendationsSearch) => groupedRows(groups, shown, search).map(({ key }) => key);
  expect(keys({})).toEqual(["access", "network"]);
  expect(keys({ open: "all" })).toEqual(["access", "access/add-on", "access/rbac", "network", "network/add-on"]);
  expect(keys({ open: "network,unheard-of" })).toEqual(["access", "network", "network/add-on"]);
  expect(keys({ group: "network" })).toEqual(["network", "network/add-on"]);
  expect(groupedRows(groups, shown, {})[0]).toMatchObject({ shown: 2, isOpen: false });
  expect(groupedRows(groups, [], {})).toEqual([]);
});

test("groups are closed until a filter or somebody opens them", () => {
  const open = (search: RecommendationsSearch) => [...openGroups(groups, search)];
  expect(open({})).toEqual([]);
  expect(open({ environment: "prod", all: "yes" })).toEqual([]);
  for (const filter of [{ q: "a" }, { severity: "low" }, { group: "access" }, { kind: "registry" }, { status: "healthy" }] as const) {
    expect(open(filter), JSON.stringify(filter)).toHaveLength(3);
    expect(open({ ...filter, open: "none" })).toEqual([]);
  }
});

test("the address names what is open only where it is not what it would be anyway", () => {
  const said = (search: RecommendationsSearch, ...open: string[]) => openIn(groups, new Set(open), search);
  expect(said({})).toBeUndefined();
  expect(said({}, "network", "access")).toBe("access,network");
  expect(said({}, "network", "access", "empty")).toBe("all");
  expect(said({ q: "a" }, "network", "access", "empty")).toBeUndefined();
  expect(said({ q: "a" })).toBe("none");
  expect(said({}, "unheard-of")).toBeUndefined();
});
