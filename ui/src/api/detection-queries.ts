// What is asked about detections, lists, rule files and back-tests.

import { queryOptions } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./queries";

export const detectionsQuery = queryOptions({
  queryKey: [...keys.alerts, "detections"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/detections", { signal })),
});

export const detectionQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.alerts, "detections", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/detections/{id}", { params: { path: { id } }, signal })),
  });

export const detectionListsQuery = queryOptions({
  queryKey: [...keys.alerts, "detection-lists"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/detection-lists", { signal })),
});

export const detectionFilesQuery = queryOptions({
  queryKey: [...keys.alerts, "detection-files"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/detection-files", { signal })),
});

/** A back-test; the server tells when it moves on. */
export const backtestQuery = (id: number) =>
  queryOptions({
    queryKey: [...keys.backtests, id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/backtests/{id}", { params: { path: { id } }, signal })),
  });

/** The text of a rule file, as it was brought. */
export async function fileText(name: string): Promise<string> {
  return data(api.GET("/api/v1/detection-files/{name}", { params: { path: { name } }, parseAs: "text" }));
}
