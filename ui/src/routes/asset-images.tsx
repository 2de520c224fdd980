// The images of one asset: what scans found in them, and a way to have the others scanned.

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, data } from "../api/client";
import { assetImagesQuery } from "../api/image-use-queries";
import { keys } from "../api/queries";
import type { AssetImage } from "../api/types";
import { Time } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { TextFilter } from "../components/filter-bar";
import { SeverityCounts } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { imageUseStrings } from "../image-use-strings";
import { type AssetSearch, IMAGES_ONLY } from "../lib/estate-filters";
import { count } from "../lib/format";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";

const t = imageUseStrings.images;

interface Props {
  asset: number;
  search: AssetSearch;
  change: (part: AssetSearch) => void;
}

export function AssetImages({ asset, search: { only, q }, change }: Props) {
  const query = useInfiniteQuery(assetImagesQuery(asset, only, q));
  const mayScan = useMay("operator");
  const client = useQueryClient();
  const scan = useMutation({
    meta: { showsError: true },
    mutationFn: (reference: string) => data(api.POST("/api/v1/scans", { body: { reference } })),
    onSuccess: () => {
      notify(t.asked);
      return client.invalidateQueries({ queryKey: keys.scans });
    },
  });
  const pages = query.data?.pages ?? [];
  const images = pages.flatMap((page) => page.images);
  const tally = pages[0]?.tally;
  const active: ActiveFilter[] = [];
  if (only !== undefined) active.push({ label: t.onlyName(only), drop: () => change({ only: undefined }) });
  if (q !== undefined) active.push({ label: strings.filters.text(q), drop: () => change({ q: undefined }) });
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) return <Skeleton rows={6} />;
  if (images.length === 0 && active.length === 0) {
    return (
      <Empty title={t.empty}>
        <p>{t.emptyHint}</p>
      </Empty>
    );
  }
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={q} onChange={(text) => change({ q: text })} />
        {IMAGES_ONLY.map((one) => (
          <button key={one} type="button" className="chip" aria-pressed={only === one} onClick={() => change({ only: only === one ? undefined : one })}>
            {t.onlyName(one)}
          </button>
        ))}
        <span className="filter-count" role="status">
          {tally != null && t.lead(tally.images, tally.unscanned)}
        </span>
      </div>
      {images.length === 0 ? (
        <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ only: undefined, q: undefined })} />
      ) : (
        <DataTable
          label={t.title}
          columns={columns(mayScan ? (reference) => scan.mutate(reference) : undefined)}
          rows={images}
          rowKey={({ name, reference, image }) => `${name} ${reference ?? ""} ${image ?? ""}`}
          rowHeight={2.75}
          hasMore={query.hasNextPage}
          isLoadingMore={query.isFetchingNextPage}
          onEndReached={() => void query.fetchNextPage()}
        />
      )}
    </>
  );
}

/** An image's name, leading to what was found in it. */
export function InUse({ image: { image, name, reference } }: { image: AssetImage }) {
  const title = reference ?? name;
  return image == null ? (
    <span className="is-mono" title={title} tabIndex={-1} data-row-link="">
      {name}
    </span>
  ) : (
    <Link className="is-mono" to="/images/$digest" params={{ digest: image }} search={{}} data-row-link="" title={title}>
      {name}
    </Link>
  );
}

function columns(scan: ((reference: string) => void) | undefined): Column<AssetImage>[] {
  return [
    { id: "name", header: t.columns.name, cell: (image) => <InUse image={image} /> },
    {
      id: "findings",
      header: t.columns.findings,
      width: "22rem",
      cell: ({ image, findings }) => (image == null ? <span className="muted">{t.notScanned}</span> : <SeverityCounts counts={findings} />),
    },
    { id: "fixable", header: t.columns.fixable, width: "5rem", align: "end", isMinor: true, cell: ({ image, fixable }) => (image == null ? "" : count(fixable)) },
    { id: "uses", header: t.columns.uses, width: "6rem", align: "end", cell: ({ running, uses }) => (uses === 0 ? <span className="muted">–</span> : t.uses(running, uses)) },
    {
      id: "scanned",
      header: t.columns.scanned,
      width: "8rem",
      cell: ({ name, image, reference, scanned }) =>
        scanned != null ? (
          <Time at={scanned} />
        ) : image == null && reference != null && scan !== undefined ? (
          <button type="button" className="button is-small" aria-label={t.scanOf(name)} onClick={() => scan(reference)}>
            {t.scan}
          </button>
        ) : (
          <span className="muted">–</span>
        ),
    },
  ];
}
