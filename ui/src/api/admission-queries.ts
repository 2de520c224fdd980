// What is asked about what may enter clusters.

import { queryOptions } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./queries";

export const admissionPoliciesQuery = queryOptions({
  queryKey: [...keys.admission, "policies"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/admission/policies", { signal })),
});

export const admissionRulesQuery = queryOptions({
  queryKey: [...keys.admission, "rules"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/admission/rules", { signal })),
  // They change with the program only.
  staleTime: Infinity,
});

/** Clusters on whose objects a policy can be tried. */
export const admissionClustersQuery = queryOptions({
  queryKey: [...keys.posture, "clusters", "watched"],
  queryFn: async ({ signal }) => {
    const page = await data(api.GET("/api/v1/clusters", { params: { query: { sort: "name", limit: 200 } }, signal }));
    return page.clusters.filter(({ watch }) => watch.by !== "cloud");
  },
});

export const admissionDecisionsQuery = (cluster: string | undefined) =>
  queryOptions({
    queryKey: [...keys.admission, "decisions", cluster],
    queryFn: ({ signal }) => data(api.GET("/api/v1/admission/decisions", { params: { query: { cluster } }, signal })),
    // Webhooks tell every 20 seconds.
    refetchInterval: 20_000,
  });
