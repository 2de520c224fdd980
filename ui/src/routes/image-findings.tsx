// The findings of one image: facets with counts, a search field, the table.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { facetsQuery, findingsQuery } from "../api/queries";
import type { FindingView } from "../api/types";
import { type Column, DataTable } from "../components/data-table";
import { ExploitedMark, Probability } from "../components/exploitation";
import { TextFilter, Toggle } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { SeverityLabel } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { findingFilters, type ImageSearch } from "../lib/filters";
import { percent } from "../lib/format";
import { asSeverity } from "../lib/severity";
import { kindName, statusName, suppressedByName } from "../lib/words";
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
      columns={search.suppressed === true ? suppressedColumns(digest, search) : columns(digest, search)}
      rows={findings}
      rowKey={findingKey}
      rowHeight={search.suppressed === true ? 3.25 : 2.375}
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
        {(search.suppressed === true || (facets?.suppressed ?? 0) > 0) && (
          <Toggle
            label={strings.suppression.show(facets?.suppressed ?? 0)}
            isOn={search.suppressed === true}
            onChange={(isOn) => change({ suppressed: isOn || undefined })}
          />
        )}
        <span className="filter-count" role="status">
          {facets && (search.suppressed === true ? strings.suppression.total(facets.total) : t.total(facets.total))}
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
  exploited: undefined,
  epss: undefined,
  suppressed: undefined,
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
  if (search.exploited === true) add("exploited", strings.exploitation.known);
  if (search.epss !== undefined) add("epss", strings.exploitation.atLeast(percent(search.epss)));
  if (search.suppressed === true) add("suppressed", strings.suppression.showing);
  if (search.severity !== undefined) {
    add("severity", search.severity.split(",").map((text) => strings.severity[asSeverity(text)]).join(", "));
  }
  if (search.q !== undefined) add("q", strings.filters.text(search.q));
  return active;
}

/** The columns that every list of findings begins with. */
function firstColumns(digest: string, search: ImageSearch): Column<FindingView>[] {
  return [
    {
      id: "severity",
      header: t.columns.severity,
      width: "6.75rem",
      cell: (finding) => <SeverityLabel severity={asSeverity(finding.severity)} />,
    },
    {
      id: "id",
      header: t.columns.id,
      width: "11.5rem",
      cell: (finding) => (
        <>
          <Link
            to="/images/$digest"
            params={{ digest }}
            search={{ ...search, finding: finding.id, package: finding.package_id }}
            resetScroll={false}
            preload={false}
            data-row-link=""
            className="is-mono"
          >
            {finding.id}
          </Link>{" "}
          {finding.known_exploited != null && <ExploitedMark known={finding.known_exploited} />}
        </>
      ),
    },
    {
      id: "package",
      header: t.columns.package,
      width: "11.5rem",
      cell: ({ package: { name, version } }) => (
        <span title={`${name} ${version}`}>
          <strong>{name}</strong> <span className="is-mono">{version}</span>
        </span>
      ),
    },
  ];
}

function columns(digest: string, search: ImageSearch): Column<FindingView>[] {
  const { sort = "severity" } = search;
  const sorted = (by: ImageSearch["sort"], name: string) => (
    <Link
      to="/images/$digest"
      params={{ digest }}
      search={{ ...search, sort: by === "severity" ? undefined : by }}
      resetScroll={false}
      replace
    >
      {name}
      {sort === by && <Icon name="down" />}
    </Link>
  );
  const [severity, ...rest] = firstColumns(digest, search);
  return [
    ...(severity === undefined
      ? []
      : [
          {
            ...severity,
            header: sorted("severity", t.columns.severity),
            sort: sort === "severity" ? ("descending" as const) : undefined,
          },
        ]),
    ...rest,
    {
      id: "fixed",
      header: t.columns.fixed,
      width: "9rem",
      cell: ({ fixed_versions, status }) =>
        fixed_versions.length > 0 ? (
          <span className="is-mono" title={fixed_versions.join(", ")}>
            {fixed_versions.join(", ")}
          </span>
        ) : (
          <span className="muted">{statusName(status)}</span>
        ),
    },
    {
      id: "exploitation",
      header: sorted("epss", t.columns.exploitation),
      width: "4.75rem",
      align: "end",
      sort: sort === "epss" ? "descending" : undefined,
      cell: ({ epss }) => epss != null && <Probability epss={epss} />,
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

/** What does not count: instead of the remedy the reason. */
function suppressedColumns(digest: string, search: ImageSearch): Column<FindingView>[] {
  const words = strings.suppression;
  return [
    ...firstColumns(digest, search),
    {
      id: "reason",
      header: words.why,
      cell: ({ suppression }) =>
        suppression != null && (
          <span className="two-lines">
            <span title={suppression.reason}>{suppression.reason}</span>
            <span className="muted">
              {suppressedByName(suppression.by)}: {suppression.source}
            </span>
          </span>
        ),
    },
  ];
}
