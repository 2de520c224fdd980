// The frame of the lists of hosts and clusters: filters, the table page by page, and what is shown when it is empty.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { SeverityCounts as Counts } from "../api/types";
import { hostStrings } from "../host-strings";
import { count } from "../lib/format";
import { HOST_SORTS, HOST_STATES } from "../lib/host-filters";
import { strings } from "../strings";
import { Time } from "./bits";
import { ControlStatus } from "./control-status";
import { type Column, DataTable } from "./data-table";
import { Choice, TextFilter } from "./filter-bar";
import { Icon } from "./icon";
import { Markdown } from "./markdown";
import { SeverityBar, SeverityCounts } from "./severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "./states";

const t = hostStrings.hosts;

type State = (typeof HOST_STATES)[number];
type Sort = (typeof HOST_SORTS)[number];

/** What of an address both lists understand. */
export interface AssessedSearch {
  q?: string | undefined;
  status?: State | undefined;
  sort?: Sort | undefined;
}

/** A row of either list. */
export interface Assessed {
  id: number;
  failed: Counts;
  state: string;
  reason?: string | null;
  last_seen: string;
}

interface Query {
  isError: boolean;
  isPending: boolean;
  isSuccess: boolean;
  error: Error | null;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  refetch: () => unknown;
  fetchNextPage: () => unknown;
}

interface Props<Row extends Assessed> {
  words: {
    title: string;
    filter: string;
    shown: (n: number, more: boolean) => string;
    empty: string;
    emptyHint: string;
    filteredEmpty: string;
  };
  /** What makes the list longer. */
  action: ReactNode;
  search: AssessedSearch;
  change: (part: AssessedSearch) => void;
  query: Query;
  rows: Row[];
  columns: Column<Row>[];
  onOpen: (row: Row) => void;
  /** Filters of this list alone: their fields, and those that are active. */
  filters?: ReactNode;
  active?: ActiveFilter[];
  clear: () => void;
}

export function AssessedList<Row extends Assessed>(props: Props<Row>) {
  const { words, search, change, query, rows } = props;
  const { status, q } = search;
  const active: ActiveFilter[] = [];
  if (status !== undefined) active.push({ label: t.states[status], drop: () => change({ status: undefined }) });
  active.push(...(props.active ?? []));
  if (q !== undefined) active.push({ label: strings.filters.text(q), drop: () => change({ q: undefined }) });
  return (
    <div className="page">
      <div className="page-head">
        <h1>{words.title}</h1>
        {props.action}
      </div>
      <div className="filter-bar">
        <TextFilter label={words.filter} value={search.q} onChange={(text) => change({ q: text })} />
        <Choice
          label={t.state}
          value={search.status ?? "any"}
          options={[["any", t.any], ...HOST_STATES.map((state) => [state, t.states[state]] as const)]}
          onChange={(value) => change({ status: value === "any" ? undefined : value })}
        />
        {props.filters}
        <Choice
          label={t.sort}
          value={search.sort ?? "severity"}
          options={HOST_SORTS.map((sort) => [sort, t.sorts[sort]])}
          onChange={(sort) => change({ sort: sort === "severity" ? undefined : sort })}
        />
        <span className="filter-count" role="status">
          {query.isSuccess && words.shown(rows.length, query.hasNextPage)}
        </span>
      </div>
      {query.isError && query.error !== null ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Skeleton rows={8} />
      ) : rows.length > 0 ? (
        <DataTable
          label={words.title}
          columns={props.columns}
          rows={rows}
          rowKey={({ id }) => String(id)}
          rowHeight={3.25}
          hasMore={query.hasNextPage}
          isLoadingMore={query.isFetchingNextPage}
          onEndReached={() => void query.fetchNextPage()}
          onOpen={props.onOpen}
        />
      ) : active.length > 0 ? (
        <FilteredEmpty title={words.filteredEmpty} filters={active} clear={props.clear} />
      ) : (
        <Empty title={words.empty}>
          <Markdown source={words.emptyHint} />
        </Empty>
      )}
    </div>
  );
}

/** The head of a column that the list can be sorted by: a link to the same list, sorted so. */
export function SortHead({ to, search, by, name }: { to: "/hosts" | "/clusters"; search: AssessedSearch; by: Sort; name: string }) {
  const isSorted = (search.sort ?? "severity") === by;
  return (
    <Link to={to} search={{ ...search, sort: by === "severity" ? undefined : by }} replace>
      {name}
      {isSorted && <Icon name={by === "name" ? "up" : "down"} />}
    </Link>
  );
}

/** Failed controls by severity. */
export const failedColumn = <Row extends Assessed>(header: ReactNode, { sort = "severity" }: AssessedSearch): Column<Row> => ({
  id: "failed",
  header,
  width: "21rem",
  sort: sort === "severity" ? "descending" : undefined,
  cell: ({ failed }) => (
    <span className="two-lines">
      <SeverityCounts counts={failed} />
      <SeverityBar counts={failed} />
    </span>
  ),
});

/** What is said of it in one word, with the reason. */
export const stateColumn = <Row extends Assessed>(header: string): Column<Row> => ({
  id: "state",
  header,
  width: "9.5rem",
  cell: ({ state, reason }) => (
    <span title={reason ?? undefined}>
      <ControlStatus status={state} />
    </span>
  ),
});

export const seenColumn = <Row extends Assessed>(header: string): Column<Row> => ({
  id: "seen",
  header,
  width: "7.5rem",
  cell: ({ last_seen }) => <Time at={last_seen} />,
});

/** A number that may not be known. */
export function Counted({ value }: { value: number | null | undefined }) {
  return value == null ? <span className="muted">?</span> : count(value);
}
