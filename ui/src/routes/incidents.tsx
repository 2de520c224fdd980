// Incidents: alerts that belong together.

import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { alertStrings } from "../alert-strings";
import { incidentsQuery } from "../api/alert-queries";
import type { IncidentSummary } from "../api/types";
import { AlertSeverityLabel, AlertStateLabel } from "../components/alert-words";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Choice, TextFilter } from "../components/filter-bar";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import type { IncidentsSearch } from "../lib/alert-filters";
import { count } from "../lib/format";
import { strings } from "../strings";
import { AlertTabs } from "./alerts-tabs";

const route = getRouteApi("/app/incidents");
const t = alertStrings.incidents;

export function IncidentsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(incidentsQuery(search));
  const incidents = query.data?.pages.flatMap((page) => page.incidents) ?? [];
  const change = (part: IncidentsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const active: ActiveFilter[] = search.q === undefined ? [] : [{ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) }];
  return (
    <div className="page">
      <h1>{t.title}</h1>
      <AlertTabs />
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={t.state}
          value={search.state ?? "open"}
          options={[
            ["open", t.open],
            ["any", t.any],
          ]}
          onChange={(state) => change({ state: state === "any" ? state : undefined })}
        />
        <span className="filter-count" role="status">
          {query.isSuccess && t.shown(incidents.length, query.hasNextPage)}
        </span>
      </div>
      {query.isError ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Skeleton rows={6} />
      ) : incidents.length > 0 ? (
        <DataTable
          label={t.title}
          columns={COLUMNS}
          rows={incidents}
          rowKey={({ id }) => id}
          rowHeight={3.25}
          hasMore={query.hasNextPage}
          isLoadingMore={query.isFetchingNextPage}
          onEndReached={() => void query.fetchNextPage()}
          onOpen={({ id }) => void navigate({ to: "/incidents/$id", params: { id } })}
        />
      ) : active.length > 0 ? (
        <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ q: undefined })} />
      ) : (
        <Empty title={t.empty}>
          <p>{t.emptyHint}</p>
        </Empty>
      )}
    </div>
  );
}

const COLUMNS: Column<IncidentSummary>[] = [
  {
    id: "title",
    header: t.columns.title,
    cell: ({ id, title, shared }) => (
      <span className="two-lines">
        <Link to="/incidents/$id" params={{ id }} data-row-link="" title={title}>
          {title}
        </Link>
        <span className="muted">{shared.map(({ name }) => name).join(", ")}</span>
      </span>
    ),
  },
  { id: "severity", header: t.columns.severity, width: "8rem", cell: ({ severity }) => <AlertSeverityLabel severity={severity} /> },
  { id: "state", header: t.columns.state, width: "8rem", cell: ({ state }) => <AlertStateLabel state={state} /> },
  { id: "alerts", header: t.columns.alerts, width: "5rem", align: "end", cell: ({ alerts }) => count(alerts) },
  { id: "first", header: t.columns.first, width: "8rem", isMinor: true, cell: ({ first_seen: first }) => <Time at={first} /> },
  { id: "last", header: t.columns.last, width: "8rem", cell: ({ last_seen: last }) => <Time at={last} /> },
];
