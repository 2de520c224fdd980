// All images, filtered and sorted by what the address says.

import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { imagesQuery } from "../api/queries";
import type { ImageSummary } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Choice, TextFilter, Toggle } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { ImageName } from "../components/image-name";
import { SeverityCounts } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { IMAGE_SORTS, imageFilters, type ImagesSearch } from "../lib/filters";
import { bytes, count } from "../lib/format";
import { useMay } from "../lib/role";
import { SEVERITIES, type Severity } from "../lib/severity";
import { strings } from "../strings";
import { DeleteImage } from "./images-delete";
import "../components/exploitation.css";

const route = getRouteApi("/app/images");
const t = strings.images;

export function ImagesPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [doomed, setDoomed] = useState<ImageSummary>();
  const mayDelete = useMay("operator");
  const query = useInfiniteQuery(imagesQuery(imageFilters(search)));
  const images = query.data?.pages.flatMap((page) => page.images) ?? [];
  const change = (part: ImagesSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const active = activeFilters(search, change);

  const content = query.isError ? (
    <ErrorState error={query.error} retry={() => void query.refetch()} />
  ) : query.isPending ? (
    <Skeleton rows={12} />
  ) : images.length > 0 ? (
    <DataTable
      label={t.title}
      columns={columns(search, mayDelete ? setDoomed : undefined)}
      rows={images}
      rowKey={(image) => image.digest}
      rowHeight={3}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      onEndReached={() => void query.fetchNextPage()}
      onOpen={({ digest }) => void navigate({ to: "/images/$digest", params: { digest }, search: {} })}
    />
  ) : active.length > 0 ? (
    <FilteredEmpty
      title={t.filteredEmpty}
      filters={active}
      clear={() => change({ q: undefined, severity: undefined, fixable: undefined, exploited: undefined })}
    />
  ) : (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
      <Link to="/" className="button is-primary">
        {t.emptyAction}
      </Link>
    </Empty>
  );
  return (
    <div className="page">
      <h1>{t.title}</h1>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={t.minimum}
          value={search.severity ?? "any"}
          options={[
            ["any", t.any],
            ...SEVERITIES.map((severity) => [severity, minimumName(severity)] as const),
          ]}
          onChange={(value) => change({ severity: value === "any" ? undefined : value })}
        />
        <Toggle label={t.fixable} isOn={search.fixable === true} onChange={(on) => change({ fixable: on || undefined })} />
        <Toggle label={t.exploited} isOn={search.exploited === true} onChange={(on) => change({ exploited: on || undefined })} />
        <Choice
          label={t.sort}
          value={search.sort ?? "severity"}
          options={IMAGE_SORTS.map((sort) => [sort, t.sorts[sort]])}
          onChange={(sort) => change({ sort: sort === "severity" ? undefined : sort })}
        />
        <span className="filter-count" role="status">
          {query.isSuccess && t.shown(images.length, query.hasNextPage)}
        </span>
      </div>
      {content}
      {doomed !== undefined && <DeleteImage image={doomed} onClose={() => setDoomed(undefined)} />}
    </div>
  );
}

/** Unknown is the least, so "unknown and worse" is any finding at all. */
function minimumName(severity: Severity): string {
  if (severity === "critical") return strings.severity.critical;
  return severity === "unknown" ? t.anyFinding : t.atLeast(strings.severity[severity]);
}

function activeFilters(search: ImagesSearch, change: (part: ImagesSearch) => void): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  if (search.severity !== undefined) {
    active.push({ label: minimumName(search.severity), drop: () => change({ severity: undefined }) });
  }
  if (search.fixable === true) active.push({ label: t.fixable, drop: () => change({ fixable: undefined }) });
  if (search.exploited === true) active.push({ label: t.exploited, drop: () => change({ exploited: undefined }) });
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return active;
}

function columns(search: ImagesSearch, onDelete: ((image: ImageSummary) => void) | undefined): Column<ImageSummary>[] {
  const { sort = "severity" } = search;
  const sorted = (by: ImagesSearch["sort"], name: string) => (
    <Link to="/images" search={{ ...search, sort: by === "severity" ? undefined : by }} replace>
      {name}
      {sort === by && <Icon name={by === "name" ? "up" : "down"} />}
    </Link>
  );
  const all: Column<ImageSummary>[] = [
    {
      id: "image",
      header: sorted("name", t.columns.image),
      sort: sort === "name" ? "ascending" : undefined,
      cell: (image) => <ImageName image={image} />,
    },
    {
      id: "findings",
      header: sorted("severity", t.columns.findings),
      width: "22rem",
      sort: sort === "severity" ? "descending" : undefined,
      cell: (image) => <SeverityCounts counts={image.findings} />,
    },
    {
      id: "exploited",
      header: t.columns.exploited,
      width: "5.5rem",
      align: "end",
      cell: ({ exploited }) => (exploited === 0 ? <span className="muted">0</span> : <strong className="exploited-count">{count(exploited)}</strong>),
    },
    { id: "fixable", header: t.columns.fixable, width: "5rem", align: "end", cell: (image) => count(image.fixable) },
    {
      id: "packages",
      header: t.columns.packages,
      width: "5.5rem",
      align: "end",
      isMinor: true,
      cell: (image) => count(image.packages),
    },
    {
      id: "size",
      header: t.columns.size,
      width: "5.5rem",
      align: "end",
      isMinor: true,
      cell: (image) => bytes(image.size_bytes),
    },
    {
      id: "seen",
      header: sorted("newest", t.columns.seen),
      width: "7.5rem",
      sort: sort === "newest" ? "descending" : undefined,
      cell: (image) => <Time at={image.first_seen} />,
    },
  ];
  if (onDelete === undefined) return all;
  return [
    ...all,
    {
      id: "delete",
      header: <span className="visually-hidden">{t.columns.action}</span>,
      width: "3.25rem",
      cell: (image) => {
        const label = `${strings.common.delete} ${image.references[0] ?? image.digest}`;
        return (
          <button
            type="button"
            className="button icon-button row-action"
            aria-label={label}
            title={strings.common.delete}
            onClick={() => onDelete(image)}
          >
            <Icon name="trash" />
          </button>
        );
      },
    },
  ];
}
