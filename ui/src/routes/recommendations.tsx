// What assets should be, and which of them are: by score group, by recommendation, or by asset.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { recommendationsQuery, scoreOfQuery } from "../api/estate-queries";
import type { Score } from "../api/types";
import { useTitle } from "../components/bits";
import { Icon } from "../components/icon";
import { ErrorState, Skeleton } from "../components/states";
import { estateStrings } from "../estate-strings";
import { apiAddress, type RecommendationsSearch } from "../lib/estate-filters";
import { points } from "../lib/format";
import { AssetList } from "./recommendations-assets";
import { RecommendationsList } from "./recommendations-list";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/recommendations");
const t = estateStrings.recommendations;

export function RecommendationsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: RecommendationsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const score = useQuery(scoreOfQuery(search.environment));
  const list = useQuery(recommendationsQuery(search.environment));
  const { environment } = search;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.title}</h1>
        <div className="page-actions">
          <Link to="/exemptions" search={{}} className="button">
            {t.exemptions}
          </Link>
          <a className="button" href={apiAddress("/api/v1/recommendations/csv", { environment })} download="recommendations.csv" title={estateStrings.csvHint}>
            <Icon name="download" />
            {estateStrings.csv}
          </a>
        </div>
      </div>
      {score.data !== undefined && score.data.share != null && <ScoreStrip score={score.data} environment={environment} />}
      <nav className="tabs" aria-label={t.views}>
        <View view={undefined} search={search} name={t.byGroup} />
        <View view="list" search={search} name={t.byRecommendation} />
        <View view="assets" search={search} name={t.byAsset} />
      </nav>
      {search.view === "assets" ? (
        <AssetList search={search} change={change} />
      ) : list.isError ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <RecommendationsList data={list.data} search={search} change={change} />
      )}
    </div>
  );
}

function View({ view, search, name }: { view: RecommendationsSearch["view"]; search: RecommendationsSearch; name: string }) {
  const isCurrent = view === search.view;
  const { environment, kind, status } = search;
  // Titles and names are not looked for by the same words.
  const isOther = (view === "assets") !== (search.view === "assets");
  return (
    <Link
      to="/recommendations"
      search={isOther ? { view, environment, kind, status } : { ...search, view }}
      className={isCurrent ? "tab is-current" : "tab"}
      aria-current={isCurrent ? "page" : undefined}
      resetScroll={false}
    >
      {name}
    </Link>
  );
}

function ScoreStrip({ score, environment }: { score: Score; environment: string | undefined }) {
  const percent = Math.round((score.share ?? 0) * 100);
  return (
    <section className="panel score-strip" aria-label={t.score}>
      <b>{percent}%</b>
      <span className="score-bar" aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </span>
      <span>{t.points(points(score.points), points(score.max))}</span>
      <Link to="/score" search={{ environment }}>
        {t.scoreMore}
      </Link>
    </section>
  );
}
