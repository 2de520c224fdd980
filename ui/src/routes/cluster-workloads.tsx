// The workloads of a cluster, filtered by what the address says.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { facetsQuery, workloadsQuery } from "../api/cluster-queries";
import type { ClusterWorkload } from "../api/types";
import { clusterStrings } from "../cluster-strings";
import { type Column, DataTable } from "../components/data-table";
import { Choice, TextFilter } from "../components/filter-bar";
import { SeverityBar, SeverityCounts } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { hostStrings } from "../host-strings";
import { type ClusterSearch, workloadFilters } from "../lib/cluster-filters";
import { count } from "../lib/format";
import { HOST_SORTS } from "../lib/host-filters";
import { strings } from "../strings";

const t = clusterStrings.cluster;
const ANY = "";

interface Props {
  id: number;
  search: ClusterSearch;
  change: (part: ClusterSearch) => void;
  open: (workload: string) => void;
}

export function Workloads({ id, search, change, open }: Props) {
  const query = useInfiniteQuery(workloadsQuery(id, workloadFilters(search)));
  const { data: facets } = useQuery(facetsQuery(id));
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const workloads = query.data?.pages.flatMap((page) => page.workloads) ?? [];
  const total = query.data?.pages[0]?.total ?? 0;
  const active = activeFilters(search, change, facets?.checks ?? []);
  const options = (values: { value: string; title: string; count: number }[] | undefined, chosen: string | undefined) => {
    const known = (values ?? []).map(({ value, title, count: number }) => [value, `${title} (${count(number)})`] as const);
    const isKnown = chosen === undefined || known.some(([value]) => value === chosen);
    return [[ANY, t.any] as const, ...known, ...(isKnown ? [] : [[chosen, chosen] as const])];
  };
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.workloadFilter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={t.namespace}
          value={search.namespace ?? ANY}
          options={options(facets?.namespaces, search.namespace)}
          onChange={(namespace) => change({ namespace: namespace === ANY ? undefined : namespace })}
        />
        <Choice
          label={t.kind}
          value={search.kind ?? ANY}
          options={options(facets?.kinds, search.kind)}
          onChange={(kind) => change({ kind: kind === ANY ? undefined : kind })}
        />
        <Choice
          label={t.check}
          value={search.check ?? ANY}
          options={options(facets?.checks, search.check)}
          onChange={(check) => change({ check: check === ANY ? undefined : check })}
        />
        <Choice
          label={hostStrings.hosts.sort}
          value={search.sort ?? "severity"}
          options={HOST_SORTS.map((sort) => [sort, hostStrings.hosts.sorts[sort]])}
          onChange={(sort) => change({ sort: sort === "severity" ? undefined : sort })}
        />
        <span className="filter-count" role="status">
          {query.isSuccess && t.shownWorkloads(workloads.length, total)}
        </span>
      </div>
      {query.isPending ? (
        <Skeleton rows={8} />
      ) : workloads.length > 0 ? (
        <DataTable
          label={t.workloads}
          columns={columns(open)}
          rows={workloads}
          rowKey={(workload) => workload.id}
          rowHeight={3.25}
          total={total}
          hasMore={query.hasNextPage}
          isLoadingMore={query.isFetchingNextPage}
          onEndReached={() => void query.fetchNextPage()}
          onOpen={(workload) => open(workload.id)}
          openKey={search.workload}
        />
      ) : active.length > 0 ? (
        <FilteredEmpty
          title={t.filteredWorkloads}
          filters={active}
          clear={() => change({ q: undefined, namespace: undefined, kind: undefined, check: undefined })}
        />
      ) : (
        <Empty title={t.noWorkloads} />
      )}
    </>
  );
}

function activeFilters(search: ClusterSearch, change: (part: ClusterSearch) => void, checks: { value: string; title: string }[]): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  const { namespace, kind, check, q } = search;
  if (namespace !== undefined) active.push({ label: namespace, drop: () => change({ namespace: undefined }) });
  if (kind !== undefined) active.push({ label: kind, drop: () => change({ kind: undefined }) });
  if (check !== undefined) {
    const title = checks.find(({ value }) => value === check)?.title ?? check;
    active.push({ label: title, drop: () => change({ check: undefined }) });
  }
  if (q !== undefined) active.push({ label: strings.filters.text(q), drop: () => change({ q: undefined }) });
  return active;
}

const columns = (open: (workload: string) => void): Column<ClusterWorkload>[] => [
  {
    id: "name",
    header: t.workloadColumns.name,
    cell: ({ id, name, kind }) => (
      <span className="two-lines">
        <button type="button" className="link-button" data-row-link="" title={id} onClick={() => open(id)}>
          {name}
        </button>
        <span className="muted">{kind}</span>
      </span>
    ),
  },
  { id: "namespace", header: t.workloadColumns.namespace, width: "14rem", cell: ({ namespace }) => namespace },
  {
    id: "failed",
    header: t.workloadColumns.failed,
    width: "21rem",
    cell: ({ failed, untold }) => (
      <span className="two-lines">
        <SeverityCounts counts={failed} />
        {untold > 0 ? <span className="muted">{t.untold(untold)}</span> : <SeverityBar counts={failed} />}
      </span>
    ),
  },
];
