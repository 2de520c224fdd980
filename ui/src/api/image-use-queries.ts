// What is asked about images in use: where an image runs, and which images an asset has.

import { infiniteQueryOptions } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys, paged } from "./queries";

const PAGE = 100;

export const imageUsesQuery = (digest: string, running: boolean) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "image-uses", digest, running],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/images/{digest}/uses", {
          params: { path: { digest }, query: { running, cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });

export const assetImagesQuery = (asset: number, only: string | undefined, q: string | undefined) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.posture, "asset-images", asset, only, q],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/assets/{id}/images", {
          params: { path: { id: asset }, query: { only, q, cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });
