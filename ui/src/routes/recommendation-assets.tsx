// The assets of one recommendation: chosen ones say what they would bring, and can be exempt.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { recommendationAssetsQuery, scoreIfQuery, scoreOfQuery } from "../api/estate-queries";
import type { RecommendationAsset, RecommendationDetail } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { Time } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { EnvironmentChoice } from "../components/environment-choice";
import { TextFilter } from "../components/filter-bar";
import { SeverityCounts } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { estateStrings } from "../estate-strings";
import { imageUseStrings } from "../image-use-strings";
import type { RecommendationSearch } from "../lib/estate-filters";
import { points } from "../lib/format";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import { ExemptDialog } from "./exempt-dialog";

const t = estateStrings.recommendation;

interface Props {
  recommendation: RecommendationDetail;
  search: RecommendationSearch;
  change: (part: RecommendationSearch) => void;
}

export function RecommendationAssets({ recommendation, search, change }: Props) {
  const { tab = "unhealthy" } = search;
  const mayExempt = useMay("security_admin");
  const query = useInfiniteQuery(recommendationAssetsQuery(recommendation.id, search));
  const assets = query.data?.pages.flatMap((page) => page.assets) ?? [];
  const [chosen, setChosen] = useState<ReadonlyMap<number, string>>(new Map());
  const [isExempting, setExempting] = useState(false);
  const isChoosable = tab === "unhealthy";
  const toggle = (asset: RecommendationAsset) =>
    setChosen((before) => {
      const after = new Map(before);
      if (!after.delete(asset.id)) after.set(asset.id, asset.name);
      return after;
    });
  const active: ActiveFilter[] = [];
  if (search.environment !== undefined) active.push({ label: search.environment, drop: () => change({ environment: undefined }) });
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <EnvironmentChoice value={search.environment} onChange={(environment) => change({ environment })} />
        {isChoosable && assets.length > 0 && (
          <button type="button" className="button is-small" onClick={() => setChosen(new Map(assets.map(({ id, name }) => [id, name])))}>
            {t.chooseShown}
          </button>
        )}
        {tab !== "not_applicable" && mayExempt && (
          <button type="button" className="button is-small" onClick={() => setExempting(true)}>
            {chosen.size > 0 ? t.exempt : t.exemptAll}
          </button>
        )}
        {!mayExempt && <span className="muted">{t.forbidden}</span>}
      </div>
      {chosen.size > 0 && <Chosen recommendation={recommendation} ids={[...chosen.keys()]} onClear={() => setChosen(new Map())} />}
      {query.isError ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Skeleton rows={6} />
      ) : assets.length > 0 ? (
        <DataTable
          label={t.assets}
          columns={columns(isChoosable, chosen, toggle, recommendation.findings != null)}
          rows={assets}
          rowKey={({ id }) => String(id)}
          rowHeight={2.75}
          hasMore={query.hasNextPage}
          isLoadingMore={query.isFetchingNextPage}
          onEndReached={() => void query.fetchNextPage()}
        />
      ) : active.length > 0 ? (
        <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ q: undefined, environment: undefined })} />
      ) : (
        <Empty title={t.empty[tab]} />
      )}
      {isExempting && (
        <ExemptDialog
          recommendation={recommendation.id}
          chosen={[...chosen.keys()]}
          environment={search.environment}
          onClose={() => setExempting(false)}
          onDone={() => {
            setExempting(false);
            setChosen(new Map());
          }}
        />
      )}
    </>
  );
}

/** What the chosen assets would bring. */
function Chosen({ recommendation, ids, onClear }: { recommendation: RecommendationDetail; ids: number[]; onClear: () => void }) {
  const { data: now } = useQuery(scoreOfQuery());
  const { data: after } = useQuery(scoreIfQuery({ recommendation: recommendation.id, assets: ids }));
  return (
    <div className="banner" role="status">
      <strong>{t.chosen(ids.length)}</strong>
      {now !== undefined && after !== undefined && <span>{t.chosenIf(ids.length, points(after.points - now.points))}</span>}
      <button type="button" className="button is-small" onClick={onClear}>
        {t.clear}
      </button>
    </div>
  );
}

function columns(
  isChoosable: boolean,
  chosen: ReadonlyMap<number, string>,
  toggle: (asset: RecommendationAsset) => void,
  isAboutImages: boolean,
): Column<RecommendationAsset>[] {
  const findings: Column<RecommendationAsset> = {
    id: "findings",
    header: imageUseStrings.images.columns.findings,
    width: "22rem",
    cell: ({ id, name, images }) =>
      images != null && (
        <Link to="/asset/$id" params={{ id: String(id) }} search={{ tab: "images" }} aria-label={`${imageUseStrings.images.title}: ${name}`}>
          <SeverityCounts counts={images.findings} />
        </Link>
      ),
  };
  const choose: Column<RecommendationAsset> = {
    id: "choose",
    header: <span className="visually-hidden">{t.columns.choose}</span>,
    width: "3rem",
    cell: (asset) => (
      <input type="checkbox" className="choose" aria-label={t.choose(asset.name)} checked={chosen.has(asset.id)} onChange={() => toggle(asset)} />
    ),
  };
  return [
    ...(isChoosable ? [choose] : []),
    { id: "name", header: t.columns.name, width: "28%", cell: ({ id, name }) => <AssetLink id={id} name={name} isRow /> },
    ...(isAboutImages ? [findings] : []),
    { id: "environment", header: t.columns.environment, width: "10rem", isMinor: true, cell: ({ environment }) => environment },
    {
      id: "reason",
      header: t.columns.reason,
      cell: ({ reason, exemption }) => (
        <span title={reason ?? undefined}>
          {exemption != null && <span className="tag">{t.exempted}</span>} {reason}
        </span>
      ),
    },
    { id: "since", header: t.columns.since, width: "8rem", cell: ({ since }) => <Time at={since} /> },
  ];
}
