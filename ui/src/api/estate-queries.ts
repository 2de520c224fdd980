// What is asked about what assets need: recommendations, the score, benchmarks, sensors, own checks.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import type { AssetsSearch, ComplianceSearch, Health, RecommendationSearch } from "../lib/estate-filters";
import { api, data } from "./client";
import { keys, paged } from "./queries";

const PAGE = 100;

export const environmentsQuery = queryOptions({
  queryKey: [...keys.posture, "environments"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/environments", { signal })),
});

export const recommendationsQuery = (environment?: string) =>
  queryOptions({
    queryKey: [...keys.posture, "recommendations", environment],
    queryFn: ({ signal }) => data(api.GET("/api/v1/recommendations", { params: { query: { environment } }, signal })),
    placeholderData: keepPreviousData,
  });

export const recommendationQuery = (id: string, environment?: string) =>
  queryOptions({
    queryKey: [...keys.posture, "recommendation", id, environment],
    queryFn: ({ signal }) => data(api.GET("/api/v1/recommendations/{id}", { params: { path: { id }, query: { environment } }, signal })),
    placeholderData: keepPreviousData,
  });

export const recommendationAssetsQuery = (id: string, { tab, q, environment }: RecommendationSearch) => {
  const health: Health = tab ?? "unhealthy";
  return infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "recommendation", id, "assets", health, q, environment],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/recommendations/{id}/assets", {
          params: { path: { id }, query: { health, q, environment, cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });
};

export const recommendationSettingsQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.posture, "recommendation", id, "settings"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/recommendations/{id}/settings", { params: { path: { id } }, signal })),
  });

export const settingsHistoryQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.posture, "recommendation", id, "settings", "history"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/recommendations/{id}/settings/history", { params: { path: { id } }, signal })),
  });

export const assetsQuery = ({ q, kind, environment, status }: AssetsSearch) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "assets", q, kind, environment, status],
    queryFn: ({ pageParam, signal }) =>
      data(api.GET("/api/v1/assets", { params: { query: { q, kind, environment, status, cursor: pageParam, limit: PAGE } }, signal })),
  });

export const assetQuery = (id: number) =>
  queryOptions({
    queryKey: [...keys.posture, "asset", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assets/{id}", { params: { path: { id } }, signal })),
  });

export const exemptionsQuery = queryOptions({
  queryKey: [...keys.posture, "exemptions"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/exemptions", { signal })),
});

export const scoreOfQuery = (environment?: string) =>
  queryOptions({
    queryKey: [...keys.posture, "score", environment],
    queryFn: ({ signal }) => data(api.GET("/api/v1/score", { params: { query: { environment } }, signal })),
  });

export const scoreGroupQuery = (id: string, environment?: string) =>
  queryOptions({
    queryKey: [...keys.posture, "score", "group", id, environment],
    queryFn: ({ signal }) => data(api.GET("/api/v1/score/groups/{id}", { params: { path: { id }, query: { environment } }, signal })),
  });

export const scoreHistoryQuery = (days: number, environment?: string) =>
  queryOptions({
    queryKey: [...keys.posture, "score", "history", days, environment],
    queryFn: ({ signal }) => data(api.GET("/api/v1/score/history", { params: { query: { days, environment } }, signal })),
    placeholderData: keepPreviousData,
  });

interface WhatIf {
  recommendation?: string | undefined;
  assets?: readonly number[] | undefined;
  environment?: string | undefined;
  then?: "healthy" | "exempt";
}

export const scoreIfQuery = ({ recommendation, assets = [], environment, then }: WhatIf) =>
  queryOptions({
    queryKey: [...keys.posture, "score", "if", recommendation, assets.join(), environment, then],
    queryFn: ({ signal }) =>
      data(
        api.GET("/api/v1/score/what-if", {
          params: { query: { recommendation, asset: assets.join() || undefined, of: environment, then } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const benchmarksQuery = queryOptions({
  queryKey: [...keys.posture, "benchmarks"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/benchmarks", { signal })),
});

const scope = ({ version, environment, asset }: ComplianceSearch) => ({
  version,
  environment,
  asset: asset === undefined ? undefined : Number(asset),
});

export const complianceQuery = (benchmark: string, search: ComplianceSearch) =>
  queryOptions({
    queryKey: [...keys.posture, "compliance", benchmark, scope(search)],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/compliance/{benchmark}", { params: { path: { benchmark }, query: scope(search) }, signal })),
    placeholderData: keepPreviousData,
  });

export const controlAssetsQuery = (benchmark: string, control: string, search: ComplianceSearch, status: string | undefined) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "compliance", benchmark, control, scope(search), status],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/compliance/{benchmark}/controls/{control}", {
          params: { path: { benchmark, control }, query: { ...scope(search), status, cursor: pageParam, limit: 50 } },
          signal,
        }),
      ),
  });

export const controlObjectsQuery = (benchmark: string, control: string, version: string, asset: number) =>
  queryOptions({
    queryKey: [...keys.posture, "compliance", benchmark, control, version, "objects", asset],
    queryFn: ({ signal }) =>
      data(
        api.GET("/api/v1/compliance/{benchmark}/controls/{control}/objects", {
          params: { path: { benchmark, control }, query: { version, asset } },
          signal,
        }),
      ),
  });

export const sensorsQuery = queryOptions({
  queryKey: [...keys.posture, "sensors"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/sensors", { signal })),
});

export const joinTokensQuery = queryOptions({
  queryKey: [...keys.posture, "join-tokens"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/join-tokens", { signal })),
});

export const ownChecksQuery = queryOptions({
  queryKey: [...keys.posture, "checks"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/checks", { signal })),
});
