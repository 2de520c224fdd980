// What is asked about alerts, incidents, what suppresses them, and where audit events come from.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { alertQuery, type AlertsSearch, type IncidentsSearch } from "../lib/alert-filters";
import { ApiError, api, data } from "./client";
import { keys, paged } from "./queries";

const PAGE = 100;

export const alertsQuery = (search: AlertsSearch) => {
  const query = alertQuery(search);
  return infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.alerts, "list", query],
    queryFn: ({ pageParam, signal }) =>
      data(api.GET("/api/v1/alerts", { params: { query: { ...query, cursor: pageParam, limit: PAGE } }, signal })),
  });
};

export const alertFacetsQuery = queryOptions({
  queryKey: [...keys.alerts, "facets"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/alerts/facets", { signal })),
});

export const alertDetailQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.alerts, "alert", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/alerts/{id}", { params: { path: { id } }, signal })),
  });

export const relatedQuery = (id: string) =>
  queryOptions({
    // Not with the alerts: whenever one is raised, the kept events would be searched again.
    queryKey: ["related", id],
    staleTime: 60_000,
    queryFn: ({ signal }) => data(api.GET("/api/v1/alerts/{id}/related", { params: { path: { id } }, signal })),
  });

export const incidentsQuery = ({ q, state }: IncidentsSearch) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.alerts, "incidents", q, state],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/incidents", {
          params: { query: { query: q, open: state === "any" ? undefined : true, cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.alerts, "incident", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/incidents/{id}", { params: { path: { id } }, signal })),
  });

export const suppressionsQuery = queryOptions({
  queryKey: [...keys.alerts, "suppressions"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/suppressions", { signal })),
});

export const auditClustersQuery = queryOptions({
  queryKey: [...keys.alerts, "audit"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/audit/clusters", { signal })),
});

export const auditCoverageQuery = (name: string) =>
  queryOptions({
    queryKey: [...keys.alerts, "audit", name, "coverage"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/audit/clusters/{name}/coverage", { params: { path: { name } }, signal })),
  });

/** Null where nobody has said which policy is in force. */
export const auditPolicyQuery = (name: string) =>
  queryOptions({
    queryKey: [...keys.alerts, "audit", name, "policy"],
    queryFn: async ({ signal }) => {
      try {
        return await data(api.GET("/api/v1/audit/clusters/{name}/policy", { params: { path: { name } }, signal }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });

export const intelQuery = queryOptions({
  queryKey: [...keys.alerts, "intel"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/intel/lists", { signal })),
});
