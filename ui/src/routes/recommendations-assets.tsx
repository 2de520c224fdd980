// Assets of all kinds, those that need most first.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { assetsQuery, recommendationsQuery } from "../api/estate-queries";
import type { AssetSummary } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { Time } from "../components/bits";
import { ControlStatus, statusName } from "../components/control-status";
import { type Column, DataTable } from "../components/data-table";
import { EnvironmentChoice } from "../components/environment-choice";
import { Choice, TextFilter } from "../components/filter-bar";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { estateStrings, kindName } from "../estate-strings";
import { HEALTH, type RecommendationsSearch } from "../lib/estate-filters";
import { strings } from "../strings";

const t = estateStrings.recommendations;

interface Props {
  search: RecommendationsSearch;
  change: (part: RecommendationsSearch) => void;
}

export function AssetList({ search, change }: Props) {
  const navigate = useNavigate();
  const query = useInfiniteQuery(assetsQuery(search));
  const assets = query.data?.pages.flatMap((page) => page.assets) ?? [];
  const active = activeFilters(search, change);
  // Recommendations are about all the kinds that there are.
  const { data: catalogue } = useQuery(recommendationsQuery(search.environment));
  const known = catalogue?.recommendations.map(({ asset }) => asset) ?? [];
  const kinds = [...new Set([...known, ...(search.kind === undefined ? [] : [search.kind])])].sort();
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filterAssets} value={search.q} onChange={(q) => change({ q })} />
        <EnvironmentChoice value={search.environment} onChange={(environment) => change({ environment })} />
        <Choice
          label={t.kind}
          value={search.kind ?? ""}
          options={[["", estateStrings.any], ...kinds.map((kind) => [kind, kindName(kind)] as const)]}
          onChange={(kind) => change({ kind: kind === "" ? undefined : kind })}
        />
        <Choice
          label={t.status}
          value={search.status ?? "any"}
          options={[["any", estateStrings.any], ...HEALTH.map((status) => [status, statusName(status)] as const)]}
          onChange={(status) => change({ status: status === "any" ? undefined : status })}
        />
        <span className="filter-count" role="status">
          {query.isSuccess && t.shownAssets(assets.length, query.hasNextPage)}
        </span>
      </div>
      {query.isError ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Skeleton rows={8} />
      ) : assets.length > 0 ? (
        <DataTable
          label={t.byAsset}
          columns={COLUMNS}
          rows={assets}
          rowKey={({ id }) => String(id)}
          rowHeight={3.25}
          hasMore={query.hasNextPage}
          isLoadingMore={query.isFetchingNextPage}
          onEndReached={() => void query.fetchNextPage()}
          onOpen={({ id }) => void navigate({ to: "/asset/$id", params: { id: String(id) }, search: {} })}
        />
      ) : active.length > 0 ? (
        <FilteredEmpty
          title={t.filteredEmpty}
          filters={active}
          clear={() => change({ q: undefined, kind: undefined, status: undefined, environment: undefined })}
        />
      ) : (
        <Empty title={t.empty}>
          <p>{t.emptyHint}</p>
          <p className="empty-actions">
            <Link to="/hosts" search={{}} className="button is-primary">
              {t.emptyAction}
            </Link>
          </p>
        </Empty>
      )}
    </>
  );
}

function activeFilters({ environment, kind, status, q }: RecommendationsSearch, change: Props["change"]): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  if (environment !== undefined) active.push({ label: environment, drop: () => change({ environment: undefined }) });
  if (kind !== undefined) active.push({ label: kindName(kind), drop: () => change({ kind: undefined }) });
  if (status !== undefined) active.push({ label: statusName(status), drop: () => change({ status: undefined }) });
  if (q !== undefined) active.push({ label: strings.filters.text(q), drop: () => change({ q: undefined }) });
  return active;
}

const COLUMNS: Column<AssetSummary>[] = [
  {
    id: "name",
    header: t.assetColumns.name,
    cell: ({ id, name, kind }) => (
      <span className="two-lines">
        <AssetLink id={id} name={name} isRow />
        <span className="muted">{kindName(kind)}</span>
      </span>
    ),
  },
  { id: "environment", header: t.assetColumns.environment, width: "10rem", isMinor: true, cell: ({ environment }) => environment },
  {
    id: "state",
    header: t.assetColumns.state,
    width: "9.5rem",
    cell: ({ state, reason }) => (
      <span title={reason ?? undefined}>
        <ControlStatus status={state} />
      </span>
    ),
  },
  {
    id: "needs",
    header: t.assetColumns.needs,
    width: "7rem",
    align: "end",
    sort: "descending",
    cell: ({ unhealthy, healthy }) => t.of(unhealthy, unhealthy + healthy),
  },
  { id: "seen", header: t.assetColumns.seen, width: "8rem", cell: ({ last_seen }) => <Time at={last_seen} /> },
];
