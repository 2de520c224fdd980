// A table of all that there is, filtered here by a text and one choice, for lists that come whole.

import { strings } from "../strings";
import { type Column, DataTable } from "./data-table";
import { Choice, TextFilter } from "./filter-bar";
import { type ActiveFilter, FilteredEmpty } from "./states";

/** `Usual` holds where the address names no state. */
interface Props<Row extends { id: number }, State extends string, Usual extends string> {
  words: {
    title: string;
    filter: string;
    state: string;
    states: Readonly<Record<State | Usual, string>>;
    filteredEmpty: string;
    shown: (n: number) => string;
  };
  /** All states, the usual one first. */
  states: readonly [Usual, ...State[]];
  search: { q?: string | undefined; state?: State | undefined };
  change: (part: { q?: string | undefined; state?: State | undefined }) => void;
  columns: Column<Row>[];
  /** What the filters left. */
  rows: Row[];
}

export function FilteredTable<Row extends { id: number }, State extends string, Usual extends string>(props: Props<Row, State, Usual>) {
  const { words, states, search, change, columns, rows } = props;
  const [usual, ...others] = states;
  const active: ActiveFilter[] = [];
  if (search.state !== undefined) active.push({ label: words.states[search.state], drop: () => change({ state: undefined }) });
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={words.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={words.state}
          value={search.state ?? usual}
          options={states.map((state) => [state, words.states[state]] as const)}
          onChange={(state) => change({ state: others.find((one) => one === state) })}
        />
        <span className="filter-count" role="status">
          {words.shown(rows.length)}
        </span>
      </div>
      {rows.length === 0 ? (
        <FilteredEmpty title={words.filteredEmpty} filters={active} clear={() => change({ q: undefined, state: undefined })} />
      ) : (
        <DataTable label={words.title} columns={columns} rows={rows} rowKey={({ id }) => String(id)} rowHeight={3.25} total={rows.length} />
      )}
    </>
  );
}
