// All hosts, filtered and sorted by what the address says.

import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { hostsQuery } from "../api/host-queries";
import type { HostSummary } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { type Column, DataTable } from "../components/data-table";
import { Choice, TextFilter } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { SeverityBar, SeverityCounts } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { hostStrings } from "../host-strings";
import { count } from "../lib/format";
import { HOST_SORTS, HOST_STATES, type HostsSearch } from "../lib/host-filters";
import { strings } from "../strings";
import { JoinCommand } from "./hosts-join";
import "./hosts.css";

const route = getRouteApi("/app/hosts");
const t = hostStrings.hosts;

export function HostsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(hostsQuery(search));
  const hosts = query.data?.pages.flatMap((page) => page.hosts) ?? [];
  const change = (part: HostsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const active = activeFilters(search, change);

  const content = query.isError ? (
    <ErrorState error={query.error} retry={() => void query.refetch()} />
  ) : query.isPending ? (
    <Skeleton rows={8} />
  ) : hosts.length > 0 ? (
    <DataTable
      label={t.title}
      columns={columns(search)}
      rows={hosts}
      rowKey={(host) => String(host.id)}
      rowHeight={3.25}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      onEndReached={() => void query.fetchNextPage()}
      onOpen={({ id }) => void navigate({ to: "/hosts/$id", params: { id: String(id) }, search: {} })}
    />
  ) : active.length > 0 ? (
    <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ q: undefined, status: undefined, engine: undefined })} />
  ) : (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
    </Empty>
  );
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.title}</h1>
        <JoinCommand />
      </div>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={t.state}
          value={search.status ?? "any"}
          options={[["any", t.any], ...HOST_STATES.map((state) => [state, t.states[state]] as const)]}
          onChange={(value) => change({ status: value === "any" ? undefined : value })}
        />
        <Choice
          label={t.engine}
          value={search.engine ?? "any"}
          options={[
            ["any", t.any],
            ["docker", t.engines.docker],
            ["podman", t.engines.podman],
          ]}
          onChange={(value) => change({ engine: value === "any" ? undefined : value })}
        />
        <Choice
          label={t.sort}
          value={search.sort ?? "severity"}
          options={HOST_SORTS.map((sort) => [sort, t.sorts[sort]])}
          onChange={(sort) => change({ sort: sort === "severity" ? undefined : sort })}
        />
        <span className="filter-count" role="status">
          {query.isSuccess && t.shown(hosts.length, query.hasNextPage)}
        </span>
      </div>
      {content}
    </div>
  );
}

function activeFilters(search: HostsSearch, change: (part: HostsSearch) => void): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  if (search.status !== undefined) active.push({ label: t.states[search.status], drop: () => change({ status: undefined }) });
  if (search.engine !== undefined) active.push({ label: t.engines[search.engine], drop: () => change({ engine: undefined }) });
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return active;
}

function columns(search: HostsSearch): Column<HostSummary>[] {
  const { sort = "severity" } = search;
  const sorted = (by: NonNullable<HostsSearch["sort"]>, name: string) => (
    <Link to="/hosts" search={{ ...search, sort: by === "severity" ? undefined : by }} replace>
      {name}
      {sort === by && <Icon name={by === "name" ? "up" : "down"} />}
    </Link>
  );
  return [
    {
      id: "host",
      header: sorted("name", t.columns.host),
      sort: sort === "name" ? "ascending" : undefined,
      cell: ({ id, name, machine_id }) => (
        <span className="two-lines">
          <Link to="/hosts/$id" params={{ id: String(id) }} search={{}} data-row-link="" title={name}>
            {name}
          </Link>
          <span className="muted is-mono" title={machine_id}>
            {machine_id}
          </span>
        </span>
      ),
    },
    {
      id: "engines",
      header: t.columns.engines,
      width: "11rem",
      cell: ({ engines }) =>
        engines.length === 0 ? (
          <span className="muted">{t.noEngine}</span>
        ) : (
          engines.map(({ product, version, endpoint }) => (
            <span key={endpoint} className="host-engine" title={endpoint}>
              {product === "docker" || product === "podman" ? t.engines[product] : product} {version}
            </span>
          ))
        ),
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
    { id: "containers", header: t.columns.containers, width: "6.5rem", align: "end", isMinor: true, cell: ({ containers }) => number(containers) },
    { id: "images", header: t.columns.images, width: "5rem", align: "end", isMinor: true, cell: ({ images }) => number(images) },
    { id: "seen", header: t.columns.seen, width: "7.5rem", cell: ({ last_seen }) => <Time at={last_seen} /> },
  ];
}

function number(value: number | null | undefined) {
  return value == null ? <span className="muted">?</span> : count(value);
}
