// What is asked about hosts, and the score that the first page shows.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import type { HostsSearch } from "../lib/host-filters";
import { api, data } from "./client";
import { keys, paged } from "./queries";

const PAGE = 100;

export const hostsQuery = (filters: HostsSearch) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "hosts", filters],
    queryFn: ({ pageParam, signal }) =>
      data(api.GET("/api/v1/hosts", { params: { query: { ...filters, cursor: pageParam, limit: PAGE } }, signal })),
  });

export const hostQuery = (id: number) =>
  queryOptions({
    queryKey: [...keys.posture, "host", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/hosts/{id}", { params: { path: { id } }, signal })),
  });

export const hostReportQuery = (id: number) =>
  queryOptions({
    queryKey: [...keys.posture, "report", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/hosts/{id}/report", { params: { path: { id } }, signal })),
    placeholderData: keepPreviousData,
  });

export const hostHistoryQuery = (id: number) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "history", id],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/hosts/{id}/history", {
          params: { path: { id }, query: { cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });

export const exceptionsQuery = queryOptions({
  queryKey: [...keys.posture, "exceptions"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/exceptions", { signal })),
});

export const attestationsQuery = (host: number) =>
  queryOptions({
    queryKey: [...keys.posture, "attestations", host],
    queryFn: ({ signal }) => data(api.GET("/api/v1/attestations", { params: { query: { host } }, signal })),
  });

export const scoreQuery = queryOptions({
  queryKey: [...keys.posture, "score", undefined],
  queryFn: ({ signal }) => data(api.GET("/api/v1/score", { signal })),
});
