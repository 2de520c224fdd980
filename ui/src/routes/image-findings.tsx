// The findings of one image: facets with counts, a search field, the table.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { facetsQuery, findingsQuery } from "../api/queries";
import type { FindingView } from "../api/types";
import { type Column, DataTable } from "../components/data-table";
import { TextFilter } from "../components/filter-bar";
import { SeverityLabel } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { findingFilters, type ImageSearch } from "../lib/filters";
import { asSeverity } from "../lib/severity";
import { kindName, statusName } from "../lib/words";
import { strings } from "../strings";
import { Facets } from "./image-facets";

interface Props {
  digest: string;
  search: ImageSearch;
  change: (part: ImageSearch) => void;
  open: (finding: string, packageId: number) => void;
  isPartial: boolean;
}

const t = strings.findings;

export function Findings({ digest, search, change, open, isPartial }: Props) {
  const filters = findingFilters(search);
  const query = useInfiniteQuery(findingsQuery(digest, filters));
  const { data: facets } = useQuery(facetsQuery(digest, filters));
  const findings = query.data?.pages.flatMap((page) => page.findings) ?? [];
  const active = activeFilters(search, change);

  const content = query.isError ? (
    <ErrorState error={query.error} retry={() => void query.refetch()} />
  ) : query.isPending ? (
    <Skeleton rows={12} />
  ) : findings.length > 0 ? (
    <DataTable
      label={strings.image.findings}
      columns={columns(digest)}
      rows={findings}
      rowKey={findingKey}
      rowHeight={2.375}
      total={facets?.total}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      onEndReached={() => void query.fetchNextPage()}
      onOpen={(finding) => open(finding.id, finding.package_id)}
      openKey={search.finding === undefined ? undefined : `${search.finding} ${search.package}`}
    />
  ) : active.length > 0 ? (
    <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change(NO_FILTERS)} />
  ) : (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
      {isPartial && <p>{t.emptyPartial}</p>}
    </Empty>
  );
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <span className="filter-count" role="status">
          {facets && t.total(facets.total)}
        </span>
      </div>
      <Facets facets={facets} search={search} change={change} />
      {content}
    </>
  );
}

const NO_FILTERS: ImageSearch = {
  q: undefined,
  severity: undefined,
  layer: undefined,
  kind: undefined,
  status: undefined,
  of: undefined,
};

function findingKey(finding: FindingView): string {
  return `${finding.id} ${finding.package_id}`;
}

function activeFilters(search: ImageSearch, change: (part: ImageSearch) => void): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  const add = (name: keyof typeof NO_FILTERS, label: string) =>
    active.push({ label, drop: () => change({ [name]: undefined }) });
  if (search.layer !== undefined) add("layer", strings.image.layer(search.layer));
  if (search.of !== undefined) add("of", t.onePackage);
  if (search.kind !== undefined) add("kind", kindName(search.kind));
  if (search.status !== undefined) add("status", statusName(search.status));
  if (search.severity !== undefined) {
    add("severity", search.severity.split(",").map((text) => strings.severity[asSeverity(text)]).join(", "));
  }
  if (search.q !== undefined) add("q", strings.filters.text(search.q));
  return active;
}

function columns(digest: string): Column<FindingView>[] {
  return [
    {
      id: "severity",
      header: t.columns.severity,
      width: "6.5rem",
      cell: (finding) => <SeverityLabel severity={asSeverity(finding.severity)} />,
    },
    {
      id: "id",
      header: t.columns.id,
      width: "9.75rem",
      cell: (finding) => (
        <Link
          to="/images/$digest"
          params={{ digest }}
          search={(before) => ({ ...before, finding: finding.id, package: finding.package_id })}
          resetScroll={false}
          preload={false}
          data-row-link=""
          className="is-mono"
        >
          {finding.id}
        </Link>
      ),
    },
    {
      id: "package",
      header: t.columns.package,
      width: "13.5rem",
      cell: ({ package: { name, version } }) => (
        <span title={`${name} ${version}`}>
          <strong>{name}</strong> <span className="is-mono">{version}</span>
        </span>
      ),
    },
    {
      id: "fixed",
      header: t.columns.fixed,
      width: "9.5rem",
      cell: ({ fixed_versions, status }) =>
        fixed_versions.length > 0 ? (
          <span className="is-mono" title={fixed_versions.join(", ")}>
            {fixed_versions.join(", ")}
          </span>
        ) : (
          <span className="muted">{statusName(status)}</span>
        ),
    },
    { id: "layer", header: t.columns.layer, width: "3.75rem", align: "end", isMinor: true, cell: ({ layer }) => layer },
    {
      id: "title",
      header: t.columns.title,
      isMinor: true,
      cell: ({ title }) => <span title={title}>{title === "" ? <span className="muted">{t.noTitle}</span> : title}</span>,
    },
  ];
}
