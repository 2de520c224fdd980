// The secure score: how it stands in each environment, what it is made of, and what changed it.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { environmentsQuery, recommendationsQuery, scoreHistoryQuery, scoreOfQuery } from "../api/estate-queries";
import type { Score, ScorePoint } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { Time, useTitle } from "../components/bits";
import { statusName } from "../components/control-status";
import { EnvironmentChoice } from "../components/environment-choice";
import { Choice } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { Empty, ErrorState, Skeleton } from "../components/states";
import { estateStrings } from "../estate-strings";
import { HISTORY_DAYS, type ScoreSearch } from "../lib/estate-filters";
import { count, percent, points } from "../lib/format";
import { ScoreChart } from "./score-chart";
import { ScoreGroups } from "./score-groups";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/score");
const t = estateStrings.score;

export function ScorePage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: ScoreSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const score = useQuery(scoreOfQuery(search.environment));
  return (
    <div className="page">
      <Link to="/recommendations" search={{ environment: search.environment }} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      <div className="page-head">
        <h1>{t.title}</h1>
        <EnvironmentChoice value={search.environment} onChange={(environment) => change({ environment, group: undefined })} />
      </div>
      {score.isError ? (
        <ErrorState error={score.error} retry={() => void score.refetch()} />
      ) : score.data === undefined ? (
        <Skeleton rows={8} />
      ) : score.data.share == null ? (
        <Empty title={t.noScore}>
          <p>{t.noScoreHint}</p>
        </Empty>
      ) : (
        <>
          <div className="score-columns">
            <Tile score={score.data} />
            {search.environment === undefined && <Environments />}
          </div>
          <ScoreGroups score={score.data} search={search} change={change} />
        </>
      )}
      <History search={search} change={change} />
    </div>
  );
}

function Tile({ score }: { score: Score }) {
  const share = score.share ?? 0;
  const whole = Math.round(share * 100);
  return (
    <section className="panel score" aria-labelledby="score-title">
      <svg className="score-ring" viewBox="0 0 100 100" aria-hidden="true">
        <circle cx="50" cy="50" r="44" />
        <circle className="score-part" cx="50" cy="50" r="44" pathLength="100" strokeDasharray={`${share * 100} 100`} />
        <text x="50" y="52">
          {whole}%
        </text>
      </svg>
      <div>
        <h2 id="score-title">{t.title}</h2>
        <p>
          <span className="visually-hidden">{whole}%: </span>
          {t.points(points(score.points), points(score.max))}
        </p>
        {score.max > score.points && <p className="muted">{t.potential(points(score.max - score.points), percent(1 - share))}</p>}
        {score.groups.some(({ unknown }) => unknown > 0) && <p className="muted">{t.partly}</p>}
        <details>
          <summary>{t.how}</summary>
          <p className="muted">{t.howText}</p>
        </details>
      </div>
    </section>
  );
}

function Environments() {
  const { data } = useQuery(environmentsQuery);
  if (data === undefined || data.environments.length < 2) return null;
  return (
    <section className="panel" aria-labelledby="environments-title">
      <header className="panel-header">
        <h2 id="environments-title">{t.environments}</h2>
      </header>
      <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="environments-title">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t.environmentColumns.name}</th>
              <th scope="col" className="is-end">{t.environmentColumns.share}</th>
              <th scope="col" className="is-end">{t.environmentColumns.points}</th>
              <th scope="col" className="is-end">{t.environmentColumns.assets}</th>
            </tr>
          </thead>
          <tbody>
            {data.environments.map(({ name, share, points: there, max, assets }) => (
              <tr key={name}>
                <td>
                  <Link to="/score" search={{ environment: name }}>
                    {name}
                  </Link>
                </td>
                <td className="is-end">{share == null ? "–" : `${Math.round(share * 100)}%`}</td>
                <td className="is-end">{t.points(points(there), points(max))}</td>
                <td className="is-end">{count(assets)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function History({ search, change }: { search: ScoreSearch; change: (part: ScoreSearch) => void }) {
  const { days = "30" } = search;
  const history = useQuery(scoreHistoryQuery(Number(days), search.environment));
  const changes = history.data?.points ?? [];
  return (
    <section className="panel" aria-labelledby="history-title">
      <header className="panel-header">
        <h2 id="history-title">{t.history}</h2>
        <Choice
          label={t.range}
          value={days}
          options={HISTORY_DAYS.map((range) => [range, t.days[range]] as const)}
          onChange={(range) => change({ days: range === "30" ? undefined : range })}
        />
      </header>
      {history.isError ? (
        <ErrorState error={history.error} retry={() => void history.refetch()} />
      ) : history.data === undefined ? (
        <Skeleton rows={4} />
      ) : changes.length === 0 ? (
        <p className="panel-text muted">{t.noHistory}</p>
      ) : (
        <>
          <ScoreChart points={changes} days={Number(days)} />
          <h3 className="panel-text">{t.changes}</h3>
          <ol className="panel-text score-causes">
            {changes.slice(0, 50).map((point) => (
              <Change key={point.at} point={point} />
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

const SHOWN_CAUSES = 5;

function Change({ point }: { point: ScorePoint }) {
  return (
    <li>
      <strong>{t.points(points(point.points), points(point.max))}</strong>{" "}
      <span className="muted">
        <Time at={point.at} />
      </span>
      <ul>
        {point.causes.slice(0, SHOWN_CAUSES).map((cause, at) => (
          <li key={at}>
            <Cause cause={cause} />
          </li>
        ))}
        {point.causes.length > SHOWN_CAUSES && <li className="muted">{t.moreCauses(point.causes.length - SHOWN_CAUSES)}</li>}
      </ul>
    </li>
  );
}

function Cause({ cause }: { cause: ScorePoint["causes"][number] }) {
  const { asset, asset_name, recommendation, was, health } = cause;
  const titles = useQuery(recommendationsQuery());
  if (recommendation === "") return <>{estateStrings.moved(asset_name, was ?? "", health ?? "")}</>;
  const text = t.cause("", named(was), named(health));
  return (
    <>
      {health == null ? asset_name : <AssetLink id={asset} name={asset_name} />}
      {text}{" "}
      <Link to="/recommendations/$id" params={{ id: recommendation }} search={{}} className="muted">
        {titles.data?.recommendations.find(({ id }) => id === recommendation)?.title ?? recommendation}
      </Link>
    </>
  );
}

function named(status: string | null | undefined): string | undefined {
  return status == null ? undefined : statusName(status).toLowerCase();
}
