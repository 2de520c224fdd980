// A long list as a real table. Only the rows in sight exist; the rest is empty space above and below them. The
// window scrolls, not the table, so zooming in never leaves a slit to look through.
//
// J and K move the focus along each row's main link (marked with `data-row-link`), so Enter opens it and a screen
// reader hears it, without a second kind of cursor.

import { defaultRangeExtractor, useWindowVirtualizer } from "@tanstack/react-virtual";
import { Fragment, useEffect, useLayoutEffect, useRef, useState, type CSSProperties, type MouseEvent, type ReactNode } from "react";

import { useHotkeys } from "../lib/hotkeys";
import { usePreferences } from "../lib/preferences";
import { strings } from "../strings";

export interface Column<Row> {
  id: string;
  header: ReactNode;
  /** A CSS width; columns without share the rest. */
  width?: string;
  align?: "end";
  /** Set on the column that the list is sorted by. */
  sort?: "ascending" | "descending" | undefined;
  /** Left out where there is little room. */
  isMinor?: boolean;
  cell: (row: Row) => ReactNode;
}

interface DataTableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  /** In rem, at comfortable density. */
  rowHeight: number;
  /** All rows, if known; otherwise the length of what is there, or unknown while there is more. */
  total?: number | undefined;
  hasMore?: boolean;
  isLoadingMore?: boolean;
  onEndReached?: () => void;
  /** For rows that look different. */
  rowClass?: (row: Row) => string | undefined;
  /** For a click anywhere in a row, where that does something. */
  onOpen?: (row: Row) => void;
  /** The row that is open beside the table: J and K then open its neighbours. */
  openKey?: string | undefined;
}

/** Rows beyond the window that exist already. */
const OVERSCAN = 12;
/** The next page is asked for when this few rows are left. */
const NEAR_END = 30;
const COMPACT = 0.8;
/** What a column without a width has at least, before the table scrolls sideways; and one with a share of it. */
const LEAST_REST = "14rem";
const LEAST_SHARE = "9rem";

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, rowKey, openKey, hasMore = false, onEndReached, isLoadingMore = false } = props;
  const { density } = usePreferences();
  const body = useRef<HTMLTableSectionElement>(null);
  const [margin, setMargin] = useState(0);
  const [active, setActive] = useState(-1);
  const wanted = useRef(-1);
  const openIndex = openKey === undefined ? -1 : rows.findIndex((row) => rowKey(row) === openKey);
  const height = props.rowHeight * (density === "compact" ? COMPACT : 1) * rootFontSize();

  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: OVERSCAN,
    scrollMargin: margin,
    // Below the sticky heads of page and table.
    scrollPaddingStart: 112,
    scrollPaddingEnd: 24,
    // The focused row stays in the document, or the focus would be lost with it.
    rangeExtractor: (range) => {
      const indexes = new Set(defaultRangeExtractor(range));
      for (const index of [active, openIndex]) if (index >= 0 && index < rows.length) indexes.add(index);
      return [...indexes].sort((a, b) => a - b);
    },
  });
  useLayoutEffect(() => {
    const top = body.current === null ? 0 : body.current.getBoundingClientRect().top + window.scrollY;
    if (Math.abs(top - margin) > 1) setMargin(top);
  });
  useEffect(() => virtualizer.measure(), [virtualizer, height]);

  const items = virtualizer.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? -1;
  const isNearEnd = hasMore && !isLoadingMore && lastIndex >= rows.length - NEAR_END;
  useEffect(() => {
    if (isNearEnd) onEndReached?.();
  }, [isNearEnd, onEndReached]);

  // A row that J or K went to may not exist until the list has scrolled.
  useEffect(() => {
    if (wanted.current < 0) return;
    const link = rowLink(body.current, wanted.current);
    if (link === null) return;
    wanted.current = -1;
    link.focus({ preventScroll: true });
  });
  const moveTo = (index: number) => {
    if (index < 0 || index >= rows.length) return;
    virtualizer.scrollToIndex(index, { align: "auto" });
    const row = rows[index];
    if (openIndex >= 0 && row !== undefined) return props.onOpen?.(row);
    wanted.current = index;
    setActive(index);
    rowLink(body.current, index)?.focus({ preventScroll: true });
  };
  const current = openIndex >= 0 ? openIndex : active;
  useHotkeys({
    j: () => moveTo(current + 1),
    k: () => moveTo(current < 0 ? 0 : current - 1),
  });

  const onRowClick = (event: MouseEvent, row: Row) => {
    // What is a control by itself acts by itself; marking text is not a click.
    if (event.target instanceof Element && event.target.closest("a, button, input, select") !== null) return;
    if (window.getSelection()?.isCollapsed === false) return;
    props.onOpen?.(row);
  };

  let end = 0;
  const totalHeight = virtualizer.getTotalSize();
  return (
    <div className="table-frame">
      <table
        className={props.onOpen === undefined ? "table" : "table is-clickable"}
        style={{ "--table-least": leastWidth(columns) } as CSSProperties}
        aria-label={label}
        aria-rowcount={rowCount(props)}
      >
        <colgroup>
          {columns.map((column) => (
            <col
              key={column.id}
              className={column.isMinor ? "is-minor" : undefined}
              style={column.width === undefined ? undefined : { width: column.width }}
            />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={cellClass(column)} aria-sort={column.sort}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            const gap = item.start - margin - end;
            end = item.end - margin;
            return (
              <Fragment key={rowKey(row)}>
                <Spacer height={gap} />
                <tr
                  className={props.rowClass?.(row)}
                  data-index={item.index}
                  aria-rowindex={item.index + 2}
                  aria-current={item.index === openIndex || undefined}
                  style={{ height }}
                  onClick={(event) => onRowClick(event, row)}
                  onFocus={() => setActive(item.index)}
                >
                  {columns.map((column) => (
                    <td key={column.id} className={cellClass(column)}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              </Fragment>
            );
          })}
          <Spacer height={totalHeight - end} />
        </tbody>
      </table>
      {isLoadingMore && (
        <p className="table-more" role="status">
          {strings.common.loadingMore}
        </p>
      )}
    </div>
  );
}

/** One cell and no span: a span over columns that are hidden for want of room would bring them back, empty. */
function Spacer({ height }: { height: number }) {
  if (height < 1) return null;
  return (
    <tr aria-hidden="true" className="table-spacer" style={{ height }}>
      <td />
    </tr>
  );
}

function cellClass<Row>(column: Column<Row>): string | undefined {
  const names = [column.align === "end" && "is-end", column.isMinor === true && "is-minor"].filter(Boolean);
  return names.length === 0 ? undefined : names.join(" ");
}

/** With which columns without a width still have room for a name. */
function leastWidth<Row>(columns: Column<Row>[]): string {
  const least = ({ width = LEAST_REST }: Column<Row>) => (width.endsWith("%") ? LEAST_SHARE : width);
  return `calc(${columns.filter(({ isMinor }) => isMinor !== true).map(least).join(" + ")})`;
}

/** The head counts as a row; -1 says that nobody knows. */
function rowCount<Row>({ total, rows, hasMore }: DataTableProps<Row>): number {
  if (total !== undefined) return total + 1;
  return hasMore === true ? -1 : rows.length + 1;
}

function rowLink(body: HTMLElement | null, index: number): HTMLElement | null {
  return body?.querySelector<HTMLElement>(`tr[data-index="${index}"] [data-row-link]`) ?? null;
}

function rootFontSize(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}
