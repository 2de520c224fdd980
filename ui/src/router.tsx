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

import { admissionDecisionsQuery, admissionPoliciesQuery, admissionRulesQuery } from "./api/admission-queries";
import {
  alertDetailQuery,
  alertFacetsQuery,
  alertsQuery,
  auditClustersQuery,
  incidentQuery,
  incidentsQuery,
  intelQuery,
  suppressionsQuery,
} from "./api/alert-queries";
import {
  assetQuery,
  assetsQuery,
  benchmarksQuery,
  complianceQuery,
  exemptionsQuery,
  ownChecksQuery,
  recommendationAssetsQuery,
  recommendationQuery,
  recommendationsQuery,
  scoreHistoryQuery,
  scoreOfQuery,
  sensorsQuery,
} from "./api/estate-queries";
import { cloudAssetQuery, cloudAssetsQuery, cloudReportQuery, connectorsQuery } from "./api/cloud-queries";
import { clusterQuery, clusterReportQuery, clustersQuery, facetsQuery as workloadFacetsQuery, workloadsQuery } from "./api/cluster-queries";
import { detectionFilesQuery, detectionListsQuery, detectionQuery, detectionsQuery } from "./api/detection-queries";
import { hostQuery, hostReportQuery, hostsQuery } from "./api/host-queries";
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
import { alertsSearch, incidentsSearch } from "./lib/alert-filters";
import {
  assetSearch,
  complianceSearch,
  exemptionsSearch,
  recommendationSearch,
  recommendationsSearch,
  scoreSearch,
  sensorsSearch,
} from "./lib/estate-filters";
import { clusterSearch, clustersSearch, workloadFilters } from "./lib/cluster-filters";
import { detectionsSearch, listsSearch } from "./lib/detection-filters";
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
    void client.prefetchInfiniteQuery(imagesQuery({ sort: "severity" }, 5));
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

const clusters = createRoute({
  getParentRoute: () => app,
  path: "/clusters",
  validateSearch: clustersSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context: { client }, deps }) => void client.prefetchInfiniteQuery(clustersQuery(deps)),
  component: lazyRouteComponent(() => import("./routes/clusters"), "ClustersPage"),
});

const cluster = createRoute({
  getParentRoute: () => app,
  path: "/clusters/$id",
  validateSearch: clusterSearch,
  loaderDeps: ({ search: { control: _, workload: __, recommendation: ___, ...filters } }) => filters,
  loader: ({ context: { client }, params: { id }, deps }) => {
    void client.prefetchQuery(clusterQuery(Number(id)));
    if (deps.tab === "controls") {
      void client.prefetchQuery(clusterReportQuery(Number(id), deps.benchmark));
    } else if (deps.tab === "workloads") {
      void client.prefetchInfiniteQuery(workloadsQuery(Number(id), workloadFilters(deps)));
      void client.prefetchQuery(workloadFacetsQuery(Number(id)));
    }
  },
  component: lazyRouteComponent(() => import("./routes/cluster"), "ClusterPage"),
});

const recommendations = createRoute({
  getParentRoute: () => app,
  path: "/recommendations",
  validateSearch: recommendationsSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context: { client }, deps }) => {
    void client.prefetchQuery(scoreOfQuery(deps.environment));
    if (deps.view === "assets") void client.prefetchInfiniteQuery(assetsQuery(deps));
    else void client.prefetchQuery(recommendationsQuery(deps.environment));
  },
  component: lazyRouteComponent(() => import("./routes/recommendations"), "RecommendationsPage"),
});

const recommendation = createRoute({
  getParentRoute: () => app,
  path: "/recommendations/$id",
  validateSearch: recommendationSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context: { client }, params: { id }, deps }) => {
    void client.prefetchQuery(recommendationQuery(id, deps.environment));
    void client.prefetchInfiniteQuery(recommendationAssetsQuery(id, deps));
  },
  component: lazyRouteComponent(() => import("./routes/recommendation"), "RecommendationPage"),
});

const asset = createRoute({
  getParentRoute: () => app,
  // Not below /assets: the server has the built files there.
  path: "/asset/$id",
  validateSearch: assetSearch,
  loader: ({ context: { client }, params: { id } }) => void client.prefetchQuery(assetQuery(Number(id))),
  component: lazyRouteComponent(() => import("./routes/asset"), "AssetPage"),
});

const exemptions = createRoute({
  getParentRoute: () => app,
  path: "/exemptions",
  validateSearch: exemptionsSearch,
  loader: ({ context: { client } }) => void client.prefetchQuery(exemptionsQuery),
  component: lazyRouteComponent(() => import("./routes/exemptions"), "ExemptionsPage"),
});

const score = createRoute({
  getParentRoute: () => app,
  path: "/score",
  validateSearch: scoreSearch,
  loaderDeps: ({ search: { group: _, ...rest } }) => rest,
  loader: ({ context: { client }, deps }) => {
    void client.prefetchQuery(scoreOfQuery(deps.environment));
    void client.prefetchQuery(scoreHistoryQuery(Number(deps.days ?? 30), deps.environment));
  },
  component: lazyRouteComponent(() => import("./routes/score"), "ScorePage"),
});

const compliance = createRoute({
  getParentRoute: () => app,
  path: "/compliance",
  loader: ({ context: { client } }) => void client.prefetchQuery(benchmarksQuery),
  component: lazyRouteComponent(() => import("./routes/compliance"), "CompliancePage"),
});

const benchmark = createRoute({
  getParentRoute: () => app,
  path: "/compliance/$benchmark",
  validateSearch: complianceSearch,
  loaderDeps: ({ search: { version, environment, asset } }) => ({ version, environment, asset }),
  loader: ({ context: { client }, params, deps }) => void client.prefetchQuery(complianceQuery(params.benchmark, deps)),
  component: lazyRouteComponent(() => import("./routes/compliance-benchmark"), "BenchmarkPage"),
});

const sensors = createRoute({
  getParentRoute: () => app,
  path: "/sensors",
  validateSearch: sensorsSearch,
  loader: ({ context: { client } }) => void client.prefetchQuery(sensorsQuery),
  component: lazyRouteComponent(() => import("./routes/sensors"), "SensorsPage"),
});

const checks = createRoute({
  getParentRoute: () => app,
  path: "/checks",
  loader: ({ context: { client } }) => void client.prefetchQuery(ownChecksQuery),
  component: lazyRouteComponent(() => import("./routes/checks"), "ChecksPage"),
});

const alerts = createRoute({
  getParentRoute: () => app,
  path: "/alerts",
  validateSearch: alertsSearch,
  loaderDeps: ({ search: { alert: _, ...rest } }) => rest,
  loader: ({ context: { client }, deps }) => {
    void client.prefetchInfiniteQuery(alertsQuery(deps));
    void client.prefetchQuery(alertFacetsQuery);
  },
  component: lazyRouteComponent(() => import("./routes/alerts"), "AlertsPage"),
});

const alert = createRoute({
  getParentRoute: () => app,
  path: "/alerts/$id",
  loader: ({ context: { client }, params: { id } }) => void client.prefetchQuery(alertDetailQuery(id)),
  component: lazyRouteComponent(() => import("./routes/alert"), "AlertPage"),
});

const incidents = createRoute({
  getParentRoute: () => app,
  path: "/incidents",
  validateSearch: incidentsSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context: { client }, deps }) => void client.prefetchInfiniteQuery(incidentsQuery(deps)),
  component: lazyRouteComponent(() => import("./routes/incidents"), "IncidentsPage"),
});

const incident = createRoute({
  getParentRoute: () => app,
  path: "/incidents/$id",
  loader: ({ context: { client }, params: { id } }) => void client.prefetchQuery(incidentQuery(id)),
  component: lazyRouteComponent(() => import("./routes/incident"), "IncidentPage"),
});

const suppressions = createRoute({
  getParentRoute: () => app,
  path: "/suppressions",
  loader: ({ context: { client } }) => void client.prefetchQuery(suppressionsQuery),
  component: lazyRouteComponent(() => import("./routes/suppressions"), "SuppressionsPage"),
});

const detections = createRoute({
  getParentRoute: () => app,
  path: "/detections",
  validateSearch: detectionsSearch,
  loader: ({ context: { client } }) => void client.prefetchQuery(detectionsQuery),
  component: lazyRouteComponent(() => import("./routes/detections"), "DetectionsPage"),
});

const detectionFiles = createRoute({
  getParentRoute: () => app,
  path: "/detections/files",
  loader: ({ context: { client } }) => void client.prefetchQuery(detectionFilesQuery),
  component: lazyRouteComponent(() => import("./routes/detections-files"), "DetectionFilesPage"),
});

const detectionLists = createRoute({
  getParentRoute: () => app,
  path: "/detections/lists",
  validateSearch: listsSearch,
  loader: ({ context: { client } }) => void client.prefetchQuery(detectionListsQuery),
  component: lazyRouteComponent(() => import("./routes/detections-lists"), "DetectionListsPage"),
});

const detection = createRoute({
  getParentRoute: () => app,
  path: "/detections/$id",
  loader: ({ context: { client }, params: { id } }) => void client.prefetchQuery(detectionQuery(id)),
  component: lazyRouteComponent(() => import("./routes/detection"), "DetectionPage"),
});

const audit = createRoute({
  getParentRoute: () => app,
  path: "/audit",
  loader: ({ context: { client } }) => void client.prefetchQuery(auditClustersQuery),
  component: lazyRouteComponent(() => import("./routes/audit"), "AuditPage"),
});

const intel = createRoute({
  getParentRoute: () => app,
  path: "/intel",
  loader: ({ context: { client } }) => void client.prefetchQuery(intelQuery),
  component: lazyRouteComponent(() => import("./routes/intel"), "IntelPage"),
});

const admission = createRoute({
  getParentRoute: () => app,
  path: "/kubernetes/admission",
  validateSearch: (search: Record<string, unknown>): { cluster?: string } => ({ cluster: text(search.cluster) }),
  loaderDeps: ({ search }) => search,
  loader: ({ context: { client }, deps }) => {
    void client.prefetchQuery(admissionPoliciesQuery);
    void client.prefetchQuery(admissionRulesQuery);
    void client.prefetchQuery(admissionDecisionsQuery(deps.cluster));
  },
  component: lazyRouteComponent(() => import("./routes/admission"), "AdmissionPage"),
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
    routeTree: root.addChildren([
      signIn,
      app.addChildren([
        overview,
        images,
        image,
        hosts,
        host,
        clusters,
        cluster,
        admission,
        recommendations,
        recommendation,
        asset,
        exemptions,
        score,
        compliance,
        benchmark,
        sensors,
        checks,
        alerts,
        alert,
        incidents,
        incident,
        suppressions,
        detections,
        detectionFiles,
        detectionLists,
        detection,
        audit,
        intel,
        scans,
        connect,
        cloudAsset,
        settings,
      ]),
    ]),
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
