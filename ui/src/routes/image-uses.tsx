// Where one image runs: workloads of clusters, containers of hosts, and the registries that hold it.

import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { imageUsesQuery } from "../api/image-use-queries";
import type { ImageUse } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { type Column, DataTable } from "../components/data-table";
import { Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { kindName } from "../estate-strings";
import { imageUseStrings } from "../image-use-strings";
import type { ImageSearch } from "../lib/filters";

interface Props {
  digest: string;
  search: ImageSearch;
  change: (part: ImageSearch) => void;
}

const t = imageUseStrings;

export function Uses({ digest, search, change }: Props) {
  const isRunning = search.running === true;
  const query = useInfiniteQuery(imageUsesQuery(digest, isRunning));
  const pages = query.data?.pages ?? [];
  const uses = pages.flatMap((page) => page.uses);
  const held = pages[0]?.held_in ?? [];
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) return <Skeleton rows={6} />;
  if (uses.length === 0 && held.length === 0 && !isRunning) {
    return (
      <Empty title={t.empty}>
        <p>{t.emptyHint}</p>
      </Empty>
    );
  }
  return (
    <>
      <div className="filter-bar">
        <button type="button" className="chip" aria-pressed={isRunning} onClick={() => change({ running: isRunning ? undefined : true })}>
          {t.running}
        </button>
        <span className="muted">{t.lead}</span>
      </div>
      {held.length > 0 && (
        <p>
          {t.heldIn}{" "}
          {held.map(({ asset, asset_name, reference }, at) => (
            <span key={`${asset} ${reference}`}>
              {at > 0 && ", "}
              <AssetLink id={asset} name={asset_name} /> <span className="muted is-mono">{reference}</span>
            </span>
          ))}
        </p>
      )}
      {uses.length === 0 ? (
        isRunning && (
          <FilteredEmpty
            title={t.filteredEmpty}
            filters={[{ label: t.running, drop: () => change({ running: undefined }) }]}
            clear={() => change({ running: undefined })}
          />
        )
      ) : (
        <DataTable
          label={t.tab}
          columns={COLUMNS}
          rows={uses}
          rowKey={({ asset, kind, id, image_name }) => `${asset} ${kind} ${id} ${image_name}`}
          rowHeight={3.25}
          hasMore={query.hasNextPage}
          isLoadingMore={query.isFetchingNextPage}
          onEndReached={() => void query.fetchNextPage()}
        />
      )}
    </>
  );
}

const COLUMNS: Column<ImageUse>[] = [
  {
    id: "place",
    header: t.columns.place,
    cell: (use) => (
      <span className="two-lines">
        <Place use={use} />
        <span className="muted" title={use.id}>
          {use.namespace === "" ? use.sort : `${use.sort}, ${use.namespace}`}
        </span>
      </span>
    ),
  },
  {
    id: "asset",
    header: t.columns.asset,
    width: "28%",
    cell: ({ asset, asset_name, asset_kind }) => (
      <span className="two-lines">
        <AssetLink id={asset} name={asset_name} />
        <span className="muted">{kindName(asset_kind)}</span>
      </span>
    ),
  },
  {
    id: "name",
    header: t.columns.name,
    width: "26%",
    isMinor: true,
    cell: ({ image_name }) => (
      <span className="is-mono" title={image_name}>
        {image_name}
      </span>
    ),
  },
  { id: "state", header: t.columns.state, width: "8rem", cell: ({ running }) => (running ? t.state.running : <span className="muted">{t.state.idle}</span>) },
];

/** The object, leading to where there is something to see of it. */
function Place({ use: { asset, kind, id, name } }: { use: ImageUse }) {
  const params = { id: String(asset) };
  if (kind === "kubernetes.workload") {
    return (
      <Link to="/clusters/$id" params={params} search={{ tab: "workloads", workload: id }} data-row-link="" title={name}>
        {name}
      </Link>
    );
  }
  return (
    <Link to="/hosts/$id" params={params} search={{ tab: "containers" }} data-row-link="" title={name}>
      {name}
    </Link>
  );
}
