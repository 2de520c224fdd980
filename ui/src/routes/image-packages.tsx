// The packages of one image, vulnerable or not.

import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { packagesQuery } from "../api/queries";
import type { PackageView } from "../api/types";
import { type Column, DataTable } from "../components/data-table";
import { Choice, TextFilter, Toggle } from "../components/filter-bar";
import { SeverityCounts } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { type ImageSearch, KINDS, packageFilters } from "../lib/filters";
import { total } from "../lib/severity";
import { kindName } from "../lib/words";
import { strings } from "../strings";

interface Props {
  digest: string;
  search: ImageSearch;
  change: (part: ImageSearch) => void;
}

const route = getRouteApi("/app/images/$digest");
const t = strings.packages;

export function Packages({ digest, search, change }: Props) {
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(packagesQuery(digest, packageFilters(search)));
  const packages = query.data?.pages.flatMap((page) => page.packages) ?? [];
  const active = activeFilters(search, change);

  const content = query.isError ? (
    <ErrorState error={query.error} retry={() => void query.refetch()} />
  ) : query.isPending ? (
    <Skeleton rows={12} />
  ) : packages.length > 0 ? (
    <DataTable
      label={strings.image.packages}
      columns={columns(digest)}
      rows={packages}
      rowKey={(one) => String(one.id)}
      rowHeight={2.375}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      onEndReached={() => void query.fetchNextPage()}
      onOpen={({ id, findings }) => {
        if (total(findings) > 0) void navigate({ search: { of: id } });
      }}
    />
  ) : active.length > 0 ? (
    <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change(NO_FILTERS)} />
  ) : (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
    </Empty>
  );
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={strings.findings.kind}
          value={search.kind ?? "any"}
          options={[["any", strings.images.any], ...KINDS.map((kind) => [kind, kindName(kind)] as const)]}
          onChange={(kind) => change({ kind: kind === "any" ? undefined : kind })}
        />
        <Toggle
          label={t.vulnerable}
          isOn={search.vulnerable === true}
          onChange={(isOn) => change({ vulnerable: isOn || undefined })}
        />
      </div>
      {content}
    </>
  );
}

const NO_FILTERS: ImageSearch = { q: undefined, kind: undefined, layer: undefined, vulnerable: undefined };

function activeFilters(search: ImageSearch, change: (part: ImageSearch) => void): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  const add = (name: keyof typeof NO_FILTERS, label: string) =>
    active.push({ label, drop: () => change({ [name]: undefined }) });
  if (search.layer !== undefined) add("layer", strings.image.layer(search.layer));
  if (search.kind !== undefined) add("kind", kindName(search.kind));
  if (search.vulnerable === true) add("vulnerable", t.vulnerable);
  if (search.q !== undefined) add("q", strings.filters.text(search.q));
  return active;
}

function columns(digest: string): Column<PackageView>[] {
  return [
    {
      id: "name",
      header: t.columns.name,
      width: "10rem",
      cell: ({ id, name, findings }) =>
        total(findings) === 0 ? (
          <span tabIndex={-1} data-row-link="" title={name}>
            {name}
          </span>
        ) : (
          <Link
            to="/images/$digest"
            params={{ digest }}
            search={{ of: id }}
            resetScroll={false}
            title={t.showFindings(name)}
            data-row-link=""
          >
            {name}
          </Link>
        ),
    },
    {
      id: "version",
      header: t.columns.version,
      width: "9rem",
      cell: ({ version, purl }) => (
        <span className="is-mono" title={purl}>
          {version}
        </span>
      ),
    },
    { id: "kind", header: t.columns.kind, width: "8rem", isMinor: true, cell: ({ kind }) => kindName(kind) },
    { id: "layer", header: t.columns.layer, width: "4rem", align: "end", cell: layerIndex },
    {
      id: "findings",
      header: t.columns.findings,
      width: "13.5rem",
      cell: ({ findings }) =>
        total(findings) === 0 ? (
          <span className="muted">{strings.common.none}</span>
        ) : (
          <SeverityCounts counts={findings} isTerse />
        ),
    },
    {
      id: "path",
      header: t.columns.path,
      isMinor: true,
      cell: ({ path }) => (
        <span className="is-mono" title={path}>
          {path}
        </span>
      ),
    },
  ];
}

function layerIndex(view: PackageView): number {
  return view.layer_index;
}
