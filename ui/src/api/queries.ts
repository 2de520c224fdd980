// What is asked of the server, and under which keys the answers are kept. Events (`events.ts`) refresh them.

import type { QueryClient } from "@tanstack/react-query";
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { ApiError, api, data, setCsrfToken } from "./client";
import type { Session } from "./types";

/** Rows per page: what the server gives at most without passing 100 KB. */
const PAGE = 100;

/** First words of all keys, so that events can name whole groups. */
export const keys = {
  session: ["session"],
  status: ["status"],
  overview: ["overview"],
  scans: ["scans"],
  images: ["images"],
  image: ["image"],
  tokens: ["tokens"],
  users: ["users"],
  vex: ["vex"],
  posture: ["posture"],
  alerts: ["alerts"],
  backtests: ["backtests"],
  admission: ["admission"],
} as const;

interface Page {
  next?: string | null;
}

export const paged = {
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page: Page) => page.next ?? undefined,
  // A changed filter shows the old rows until the new ones are there: no flicker, no jump.
  placeholderData: keepPreviousData,
};

/** Who is signed in, or null. */
export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return remember(await data(api.GET("/api/v1/session", { signal })));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Infinity,
});

/** Takes over a session that the server just gave. */
export function remember(session: Session): Session {
  setCsrfToken(session.csrf_token);
  return session;
}

/** Another user, or none: what the last one saw is forgotten. */
export function changeSession(client: QueryClient, session: Session | null): void {
  if (session === null) setCsrfToken("");
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.session[0] });
  client.setQueryData(keys.session, session);
}

export const statusQuery = queryOptions({
  queryKey: keys.status,
  queryFn: ({ signal }) => data(api.GET("/api/v1/status", { signal })),
});

export const overviewQuery = queryOptions({
  queryKey: keys.overview,
  queryFn: ({ signal }) => data(api.GET("/api/v1/overview", { signal })),
});

export const scansQuery = infiniteQueryOptions({
  ...paged,
  queryKey: keys.scans,
  queryFn: ({ pageParam, signal }) =>
    data(api.GET("/api/v1/scans", { params: { query: { cursor: pageParam, limit: PAGE } }, signal })),
});

export interface ImageFilters {
  q?: string | undefined;
  severity?: string | undefined;
  fixable?: boolean | undefined;
  exploited?: boolean | undefined;
  sort?: string | undefined;
}

export const imagesQuery = (filters: ImageFilters, limit = PAGE) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.images, filters, limit],
    queryFn: ({ pageParam, signal }) =>
      data(api.GET("/api/v1/images", { params: { query: { ...filters, cursor: pageParam, limit } }, signal })),
  });

export const imageQuery = (digest: string) =>
  queryOptions({
    queryKey: [...keys.image, digest],
    queryFn: ({ signal }) => data(api.GET("/api/v1/images/{digest}", { params: { path: { digest } }, signal })),
  });

export interface FindingFilters {
  q?: string | undefined;
  severity?: string | undefined;
  layer?: number | undefined;
  kind?: string | undefined;
  status?: string | undefined;
  package?: number | undefined;
  exploited?: boolean | undefined;
  epss_min?: number | undefined;
  suppressed?: boolean | undefined;
  sort?: string | undefined;
}

export const findingsQuery = (digest: string, filters: FindingFilters) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.image, digest, "findings", filters],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/images/{digest}/findings", {
          params: { path: { digest }, query: { ...filters, cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });

export const facetsQuery = (digest: string, { sort: _, ...filters }: FindingFilters) =>
  queryOptions({
    queryKey: [...keys.image, digest, "facets", filters],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/images/{digest}/facets", { params: { path: { digest }, query: filters }, signal })),
    placeholderData: keepPreviousData,
  });

export const findingQuery = (digest: string, id: string, packageId: number) =>
  queryOptions({
    queryKey: [...keys.image, digest, "finding", id, packageId],
    queryFn: ({ signal }) =>
      data(
        api.GET("/api/v1/images/{digest}/findings/{id}", {
          params: { path: { digest, id }, query: { package: packageId } },
          signal,
        }),
      ),
  });

export interface PackageFilters {
  q?: string | undefined;
  kind?: string | undefined;
  layer?: number | undefined;
  vulnerable?: boolean | undefined;
}

export const packagesQuery = (digest: string, filters: PackageFilters) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.image, digest, "packages", filters],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/images/{digest}/packages", {
          params: { path: { digest }, query: { ...filters, cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });

export interface SecretFilters {
  q?: string | undefined;
  severity?: string | undefined;
  layer?: number | undefined;
}

export const secretsQuery = (digest: string, filters: SecretFilters) =>
  infiniteQueryOptions({
    ...paged,
    queryKey: [...keys.image, digest, "secrets", filters],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/images/{digest}/secrets", {
          params: { path: { digest }, query: { ...filters, cursor: pageParam, limit: PAGE } },
          signal,
        }),
      ),
  });

export const tokensQuery = queryOptions({
  queryKey: keys.tokens,
  queryFn: ({ signal }) => data(api.GET("/api/v1/tokens", { signal })),
});

export const vexQuery = queryOptions({
  queryKey: keys.vex,
  queryFn: ({ signal }) => data(api.GET("/api/v1/vex", { signal })),
});

export const usersQuery = queryOptions({
  queryKey: keys.users,
  queryFn: ({ signal }) => data(api.GET("/api/v1/users", { signal })),
});
