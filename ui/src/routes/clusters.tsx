// All clusters, filtered and sorted by what the address says.

import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { clustersQuery } from "../api/cluster-queries";
import type { ClusterSummary } from "../api/types";
import { clusterStrings } from "../cluster-strings";
import { AssessedList, Counted, failedColumn, seenColumn, SortHead, stateColumn } from "../components/assessed-list";
import { useTitle } from "../components/bits";
import type { Column } from "../components/data-table";
import type { ClustersSearch } from "../lib/cluster-filters";
import { JoinCluster } from "./clusters-join";
import "./hosts.css";

const route = getRouteApi("/app/clusters");
const t = clusterStrings.clusters;

export function ClustersPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(clustersQuery(search));
  const clusters = query.data?.pages.flatMap((page) => page.clusters) ?? [];
  const change = (part: ClustersSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  return (
    <AssessedList
      words={t}
      action={<JoinCluster />}
      search={search}
      change={change}
      query={query}
      rows={clusters}
      columns={columns(search)}
      onOpen={({ id, watch }) => void navigate({ to: page(watch.by), params: { id: String(id) }, search: {} })}
      clear={() => change({ q: undefined, status: undefined })}
    />
  );
}

/** A cluster that only its cloud tells of stands among what connectors brought. */
const page = (watcher: string) => (watcher === "cloud" ? "/connect/$id" : "/clusters/$id");

function columns(search: ClustersSearch): Column<ClusterSummary>[] {
  return [
    {
      id: "cluster",
      header: <SortHead to="/clusters" search={search} by="name" name={t.columns.cluster} />,
      sort: search.sort === "name" ? "ascending" : undefined,
      cell: ({ id, name, uid, watch }) => (
        <span className="two-lines">
          <Link to={page(watch.by)} params={{ id: String(id) }} search={{}} data-row-link="" title={name}>
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
    failedColumn(<SortHead to="/clusters" search={search} by="severity" name={t.columns.failed} />, search),
    stateColumn(t.columns.state),
    { id: "nodes", header: t.columns.nodes, width: "5rem", align: "end", isMinor: true, cell: ({ nodes }) => <Counted value={nodes} /> },
    { id: "workloads", header: t.columns.workloads, width: "6.5rem", align: "end", isMinor: true, cell: ({ workloads }) => <Counted value={workloads} /> },
    seenColumn(t.columns.seen),
  ];
}

export function watchName(state: string): string {
  const names: Readonly<Record<string, string>> = t.watch;
  return names[state] ?? state;
}
