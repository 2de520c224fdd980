// What is asked about connectors and what they bring.

import { queryOptions } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./queries";

export const connectorsQuery = queryOptions({
  queryKey: [...keys.posture, "connectors"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/connectors", { signal })),
});

export const cloudAssetsQuery = queryOptions({
  queryKey: [...keys.posture, "cloud-assets"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/cloud-assets", { signal })),
});

export const cloudAssetQuery = (id: number) =>
  queryOptions({
    queryKey: [...keys.posture, "cloud-asset", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/cloud-assets/{id}", { params: { path: { id } }, signal })),
  });

export const cloudReportQuery = (id: number) =>
  queryOptions({
    queryKey: [...keys.posture, "cloud-report", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/cloud-assets/{id}/report", { params: { path: { id } }, signal })),
  });
