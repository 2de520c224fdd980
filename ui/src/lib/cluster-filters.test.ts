import { expect, test } from "vitest";

import { clusterSearch, clustersSearch, workloadFilters } from "./cluster-filters";

test("addresses hold what pages know, and nothing else", () => {
  expect(clustersSearch({ q: "prod", status: "fine", sort: "name" })).toEqual({ q: "prod", status: undefined, sort: "name" });
  const search = clusterSearch({ tab: "workloads", namespace: "shop", check: "c", benchmark: "cis-docker", level: "3" });
  expect(search).toMatchObject({ tab: "workloads", namespace: "shop", check: "c", benchmark: undefined, level: undefined });
});

test("what stands in the pane does not filter the workloads", () => {
  const filters = workloadFilters(clusterSearch({ workload: "Pod/a/b", kind: "Pod" }));
  expect(filters).toEqual({ q: undefined, namespace: undefined, kind: "Pod", check: undefined, sort: undefined });
});
