// What is asked about clusters.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import type { ClustersSearch, WorkloadFilters } from "../lib/cluster-filters";
import { api, data } from "./client";
import { keys, paged } from "./queries";

const PAGE = 100;

export const clustersQuery = (filters: ClustersSearch) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "clusters", filters],
    queryFn: ({ pageParam, signal }) =>
      data(api.GET("/api/v1/clusters", { params: { query: { ...filters, cursor: pageParam, limit: PAGE } }, signal })),
  });

/** The first of them, to choose from. */
export const allClustersQuery = queryOptions({
  queryKey: [...keys.posture, "clusters", "all"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/clusters", { params: { query: { sort: "name", limit: 200 } }, signal })),
});

export const clusterQuery = (id: number) =>
  queryOptions({
    queryKey: [...keys.posture, "cluster", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/clusters/{id}", { params: { path: { id } }, signal })),
  });

export const clusterReportQuery = (id: number, benchmark = "cis-kubernetes") =>
  queryOptions({
    queryKey: [...keys.posture, "cluster", id, "report", benchmark],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/clusters/{id}/report", { params: { path: { id }, query: { benchmark } }, signal })),
    placeholderData: keepPreviousData,
  });

export const clusterHistoryQuery = (id: number) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "history", id],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/clusters/{id}/history", {
          params: { path: { id }, query: { cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });

export const clusterRecommendationQuery = (id: number, recommendation: string) =>
  queryOptions({
    queryKey: [...keys.posture, "cluster", id, "recommendation", recommendation],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/clusters/{id}/recommendations/{recommendation}", { params: { path: { id, recommendation } }, signal })),
  });

export const workloadsQuery = (id: number, filters: WorkloadFilters) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "workloads", id, filters],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/clusters/{id}/workloads", {
          params: { path: { id }, query: { ...filters, cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });

export const facetsQuery = (id: number) =>
  queryOptions({
    queryKey: [...keys.posture, "workloads", id, "facets"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/clusters/{id}/workloads/facets", { params: { path: { id } }, signal })),
  });

export const workloadQuery = (id: number, workload: string) =>
  queryOptions({
    queryKey: [...keys.posture, "workload", id, workload],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/clusters/{id}/workloads/one", { params: { path: { id }, query: { id: workload } }, signal })),
  });
