// The secrets of one image: what they are and where, never what they say.

import { useInfiniteQuery } from "@tanstack/react-query";

import { secretsQuery } from "../api/queries";
import type { SecretView } from "../api/types";
import { type Column, DataTable } from "../components/data-table";
import { TextFilter } from "../components/filter-bar";
import { SeverityGlyph, SeverityLabel } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { toggled } from "../lib/address";
import { type ImageSearch, secretFilters } from "../lib/filters";
import { count } from "../lib/format";
import { asSeverity, SEVERITIES } from "../lib/severity";
import { confidenceName } from "../lib/words";
import { strings } from "../strings";

interface Props {
  digest: string;
  search: ImageSearch;
  change: (part: ImageSearch) => void;
}

const t = strings.secrets;

export function Secrets({ digest, search, change }: Props) {
  const query = useInfiniteQuery(secretsQuery(digest, secretFilters(search)));
  const pages = query.data?.pages ?? [];
  const secrets = pages.flatMap((page) => page.secrets);
  const active = activeFilters(search, change);
  const counts = pages[0]?.counts;
  const chosen = search.severity?.split(",") ?? [];

  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) return <Skeleton rows={8} />;
  if (secrets.length === 0 && active.length === 0) {
    const isKnown = pages[0]?.looked === true;
    return (
      <Empty title={isKnown ? t.empty : t.notLooked}>
        <p>{isKnown ? t.emptyHint : t.notLookedHint}</p>
      </Empty>
    );
  }
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <span className="filter-count" role="status">
          {!query.hasNextPage && t.total(secrets.length)}
        </span>
      </div>
      <div className="facets">
        <div className="facet-group" role="group" aria-label={strings.severity.label}>
          <span className="facet-name" aria-hidden="true">
            {strings.severity.label}
          </span>
          {SEVERITIES.filter((severity) => (counts?.[severity] ?? 0) > 0 || chosen.includes(severity)).map((severity) => (
            <button
              key={severity}
              type="button"
              className="chip"
              aria-pressed={chosen.includes(severity)}
              onClick={() => change({ severity: toggled(SEVERITIES, search.severity, severity) })}
            >
              <SeverityGlyph severity={severity} />
              {strings.severity[severity]}
              <span className="chip-count">{count(counts?.[severity] ?? 0)}</span>
            </button>
          ))}
        </div>
      </div>
      {secrets.length === 0 ? (
        <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change(NO_FILTERS)} />
      ) : (
        <>
          <p>{t.lead}</p>
          <Remedies secrets={secrets} />
          <DataTable
            label={strings.image.secrets}
            columns={COLUMNS}
            rows={secrets}
            rowKey={secretKey}
            rowHeight={3.25}
            hasMore={query.hasNextPage}
            isLoadingMore={query.isFetchingNextPage}
            onEndReached={() => void query.fetchNextPage()}
          />
        </>
      )}
    </>
  );
}

/** Once for each kind of secret, because an image often has one many times. */
function Remedies({ secrets }: { secrets: SecretView[] }) {
  const kinds = new Map(secrets.map(({ title, remediation }) => [title, remediation]));
  return (
    <details className="panel remedies" open={kinds.size <= 4}>
      <summary>{t.remedies}</summary>
      <p>{t.general}</p>
      <dl>
        {[...kinds].map(([title, remediation]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{remediation}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

const NO_FILTERS: ImageSearch = { q: undefined, severity: undefined, layer: undefined };

function activeFilters(search: ImageSearch, change: (part: ImageSearch) => void): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  const add = (name: keyof typeof NO_FILTERS, label: string) =>
    active.push({ label, drop: () => change({ [name]: undefined }) });
  if (search.layer !== undefined) add("layer", strings.image.layer(search.layer));
  if (search.severity !== undefined) {
    add("severity", search.severity.split(",").map((text) => strings.severity[asSeverity(text)]).join(", "));
  }
  if (search.q !== undefined) add("q", strings.filters.text(search.q));
  return active;
}

function secretKey({ rule, path, layer, line, column }: SecretView): string {
  return `${rule} ${layer} ${line} ${column} ${path}`;
}

/** Where there is little room, the folders are cut and not the file and its line. */
function Place({ path }: { path: string }) {
  const end = path.lastIndexOf("/") + 1;
  return (
    <span className="image-name-line is-mono" title={path}>
      <span className="reference-head">{path.slice(0, end)}</span>
      <span className="reference-tail">{path.slice(end)}</span>
    </span>
  );
}

const COLUMNS: Column<SecretView>[] = [
  {
    id: "severity",
    header: t.columns.severity,
    width: "6.75rem",
    cell: ({ severity }) => <SeverityLabel severity={asSeverity(severity)} />,
  },
  {
    id: "what",
    header: t.columns.what,
    width: "14rem",
    cell: ({ title, rule }) => (
      <span className="two-lines">
        <strong tabIndex={-1} data-row-link="" title={title}>
          {title}
        </strong>
        <span className="muted is-mono">{rule}</span>
      </span>
    ),
  },
  {
    id: "where",
    header: t.columns.where,
    cell: ({ path, line, is_hidden, kind }) => (
      <span className="two-lines">
        <Place path={kind === "file" ? `${path}:${line}` : path} />
        <span className="muted">{is_hidden ? t.hidden : kind === "configuration" ? t.configuration : ""}</span>
      </span>
    ),
  },
  { id: "layer", header: t.columns.layer, width: "3.75rem", align: "end", cell: ({ layer }) => layer },
  {
    id: "sure",
    header: t.columns.sure,
    width: "6.5rem",
    isMinor: true,
    cell: ({ confidence }) => confidenceName(confidence),
  },
];
