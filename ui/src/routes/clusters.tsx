// All clusters, filtered and sorted by what the address says.

import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { clustersQuery } from "../api/cluster-queries";
import type { ClusterSummary } from "../api/types";
import { clusterStrings } from "../cluster-strings";
import { Time, useTitle } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { type Column, DataTable } from "../components/data-table";
import { Choice, TextFilter } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { SeverityBar, SeverityCounts } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { hostStrings } from "../host-strings";
import type { ClustersSearch } from "../lib/cluster-filters";
import { count } from "../lib/format";
import { HOST_SORTS, HOST_STATES } from "../lib/host-filters";
import { strings } from "../strings";
import { JoinCluster } from "./clusters-join";
import "./hosts.css";

const route = getRouteApi("/app/clusters");
const t = clusterStrings.clusters;
const th = hostStrings.hosts;

export function ClustersPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(clustersQuery(search));
  const clusters = query.data?.pages.flatMap((page) => page.clusters) ?? [];
  const change = (part: ClustersSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const active = activeFilters(search, change);

  const content = query.isError ? (
    <ErrorState error={query.error} retry={() => void query.refetch()} />
  ) : query.isPending ? (
    <Skeleton rows={8} />
  ) : clusters.length > 0 ? (
    <DataTable
      label={t.title}
      columns={columns(search)}
      rows={clusters}
      rowKey={(cluster) => String(cluster.id)}
      rowHeight={3.25}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      onEndReached={() => void query.fetchNextPage()}
      onOpen={({ id }) => void navigate({ to: "/clusters/$id", params: { id: String(id) }, search: {} })}
    />
  ) : active.length > 0 ? (
    <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ q: undefined, status: undefined })} />
  ) : (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
    </Empty>
  );
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.title}</h1>
        <JoinCluster />
      </div>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={th.state}
          value={search.status ?? "any"}
          options={[["any", th.any], ...HOST_STATES.map((state) => [state, th.states[state]] as const)]}
          onChange={(value) => change({ status: value === "any" ? undefined : value })}
        />
        <Choice
          label={th.sort}
          value={search.sort ?? "severity"}
          options={HOST_SORTS.map((sort) => [sort, th.sorts[sort]])}
          onChange={(sort) => change({ sort: sort === "severity" ? undefined : sort })}
        />
        <span className="filter-count" role="status">
          {query.isSuccess && t.shown(clusters.length, query.hasNextPage)}
        </span>
      </div>
      {content}
    </div>
  );
}

function activeFilters(search: ClustersSearch, change: (part: ClustersSearch) => void): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  if (search.status !== undefined) active.push({ label: th.states[search.status], drop: () => change({ status: undefined }) });
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return active;
}

function columns(search: ClustersSearch): Column<ClusterSummary>[] {
  const { sort = "severity" } = search;
  const sorted = (by: NonNullable<ClustersSearch["sort"]>, name: string) => (
    <Link to="/clusters" search={{ ...search, sort: by === "severity" ? undefined : by }} replace>
      {name}
      {sort === by && <Icon name={by === "name" ? "up" : "down"} />}
    </Link>
  );
  return [
    {
      id: "cluster",
      header: sorted("name", t.columns.cluster),
      sort: sort === "name" ? "ascending" : undefined,
      cell: ({ id, name, uid, watch }) => (
        <span className="two-lines">
          <Link to="/clusters/$id" params={{ id: String(id) }} search={{}} data-row-link="" title={name}>
            {name}
          </Link>
          {watch.state === "watching" ? (
            <span className="muted is-mono" title={uid}>
              {uid}
            </span>
          ) : (
            <span className="muted" title={watch.reason ?? undefined}>
              {watchName(watch.state)}
              {watch.reason != null && `: ${watch.reason}`}
            </span>
          )}
        </span>
      ),
    },
    {
      id: "version",
      header: t.columns.version,
      width: "10rem",
      cell: ({ version, provider }) => (version == null ? <span className="muted">?</span> : `${version}${provider == null ? "" : ` (${provider})`}`),
    },
    {
      id: "failed",
      header: sorted("severity", t.columns.failed),
      width: "20rem",
      sort: sort === "severity" ? "descending" : undefined,
      cell: ({ failed }) => (
        <span className="two-lines">
          <SeverityCounts counts={failed} />
          <SeverityBar counts={failed} />
        </span>
      ),
    },
    {
      id: "state",
      header: t.columns.state,
      width: "9.5rem",
      cell: ({ state, reason }) => (
        <span title={reason ?? undefined}>
          <ControlStatus status={state} />
        </span>
      ),
    },
    { id: "nodes", header: t.columns.nodes, width: "5rem", align: "end", isMinor: true, cell: ({ nodes }) => number(nodes) },
    { id: "workloads", header: t.columns.workloads, width: "6.5rem", align: "end", isMinor: true, cell: ({ workloads }) => number(workloads) },
    { id: "seen", header: t.columns.seen, width: "7.5rem", cell: ({ last_seen }) => <Time at={last_seen} /> },
  ];
}

export function watchName(state: string): string {
  const names: Readonly<Record<string, string>> = t.watch;
  return names[state] ?? state;
}

function number(value: number | null | undefined) {
  return value == null ? <span className="muted">?</span> : count(value);
}
