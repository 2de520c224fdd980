// The map of the application: which address shows which screen, and what may stand in its search parameters.

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";

import { cloudAssetQuery, cloudAssetsQuery, cloudReportQuery, connectorsQuery } from "./api/cloud-queries";
import { hostQuery, hostReportQuery, hostsQuery, recommendationsQuery, scoreQuery } from "./api/host-queries";
import {
  facetsQuery,
  findingsQuery,
  imageQuery,
  imagesQuery,
  overviewQuery,
  packagesQuery,
  scansQuery,
  secretsQuery,
  sessionQuery,
  statusQuery,
} from "./api/queries";
import { CrashPage, NotFoundPage } from "./components/error-pages";
import { localPath, parseSearch, stringifySearch, text } from "./lib/address";
import { findingFilters, imageFilters, imageSearch, imagesSearch, packageFilters, secretFilters } from "./lib/filters";
import { hostSearch, hostsSearch } from "./lib/host-filters";
import { Shell } from "./routes/shell";

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string } => ({ to: text(search.to) }),
  beforeLoad: async ({ context: { client }, search }) => {
    const session = await client.ensureQueryData(sessionQuery);
    // A link in the address is meant for somebody who may be another user.
    if (session !== null && !session.password_needed && window.location.hash === "") {
      throw redirect({ href: localPath(search.to) });
    }
  },
  component: lazyRouteComponent(() => import("./routes/sign-in"), "SignInPage"),
});

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  beforeLoad: async ({ context: { client }, location }) => {
    const session = await client.ensureQueryData(sessionQuery);
    if (session === null || session.password_needed) {
      const to = location.href === "/" ? undefined : location.href;
      throw redirect({ to: "/sign-in", search: { to }, replace: true });
    }
  },
  loader: ({ context: { client } }) => {
    void client.prefetchQuery(statusQuery);
    void client.prefetchInfiniteQuery(scansQuery);
  },
  component: Shell,
});

const overview = createRoute({
  getParentRoute: () => app,
  path: "/",
  loader: ({ context: { client } }) => {
    void client.prefetchQuery(overviewQuery);
    void client.prefetchInfiniteQuery(imagesQuery({ sort: "severity" }, 8));
  },
  component: lazyRouteComponent(() => import("./routes/overview"), "OverviewPage"),
});

const images = createRoute({
  getParentRoute: () => app,
  path: "/images",
  validateSearch: imagesSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context: { client }, deps }) => void client.prefetchInfiniteQuery(imagesQuery(imageFilters(deps))),
  component: lazyRouteComponent(() => import("./routes/images"), "ImagesPage"),
});

const image = createRoute({
  getParentRoute: () => app,
  path: "/images/$digest",
  validateSearch: imageSearch,
  loaderDeps: ({ search: { finding: _, package: __, ...filters } }) => filters,
  loader: ({ context: { client }, params: { digest }, deps }) => {
    void client.prefetchQuery(imageQuery(digest));
    if (deps.tab === "packages") {
      void client.prefetchInfiniteQuery(packagesQuery(digest, packageFilters(deps)));
    } else if (deps.tab === "secrets") {
      void client.prefetchInfiniteQuery(secretsQuery(digest, secretFilters(deps)));
    } else {
      void client.prefetchInfiniteQuery(findingsQuery(digest, findingFilters(deps)));
      void client.prefetchQuery(facetsQuery(digest, findingFilters(deps)));
    }
  },
  component: lazyRouteComponent(() => import("./routes/image"), "ImagePage"),
});

const scans = createRoute({
  getParentRoute: () => app,
  path: "/scans",
  component: lazyRouteComponent(() => import("./routes/scans"), "ScansPage"),
});

const hosts = createRoute({
  getParentRoute: () => app,
  path: "/hosts",
  validateSearch: hostsSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context: { client }, deps }) => void client.prefetchInfiniteQuery(hostsQuery(deps)),
  component: lazyRouteComponent(() => import("./routes/hosts"), "HostsPage"),
});

const host = createRoute({
  getParentRoute: () => app,
  path: "/hosts/$id",
  validateSearch: hostSearch,
  loader: ({ context: { client }, params: { id } }) => {
    void client.prefetchQuery(hostQuery(Number(id)));
    void client.prefetchQuery(hostReportQuery(Number(id)));
  },
  component: lazyRouteComponent(() => import("./routes/host"), "HostPage"),
});

const recommendations = createRoute({
  getParentRoute: () => app,
  path: "/recommendations",
  validateSearch: (search: Record<string, unknown>): { id?: string } => ({ id: text(search.id) }),
  loader: ({ context: { client } }) => {
    void client.prefetchQuery(scoreQuery);
    void client.prefetchQuery(recommendationsQuery);
  },
  component: lazyRouteComponent(() => import("./routes/recommendations"), "RecommendationsPage"),
});

const connect = createRoute({
  getParentRoute: () => app,
  path: "/connect",
  loader: ({ context: { client } }) => {
    void client.prefetchQuery(connectorsQuery);
    void client.prefetchQuery(cloudAssetsQuery);
  },
  component: lazyRouteComponent(() => import("./routes/connect"), "ConnectPage"),
});

const cloudAsset = createRoute({
  getParentRoute: () => app,
  path: "/connect/$id",
  validateSearch: hostSearch,
  loader: ({ context: { client }, params: { id } }) => {
    void client.prefetchQuery(cloudAssetQuery(Number(id)));
    void client.prefetchQuery(cloudReportQuery(Number(id)));
  },
  component: lazyRouteComponent(() => import("./routes/cloud-asset"), "CloudAssetPage"),
});

const settings = createRoute({
  getParentRoute: () => app,
  path: "/settings",
  component: lazyRouteComponent(() => import("./routes/settings"), "SettingsPage"),
});

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([signIn, app.addChildren([overview, images, image, hosts, host, recommendations, scans, connect, cloudAsset, settings])]),
    context: { client },
    parseSearch,
    stringifySearch,
    pathParamsAllowedCharacters: [":"],
    defaultPreload: "intent",
    // Query decides what is fresh.
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: CrashPage,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
