// The secure score, what it is made of, and what to do first.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { recommendationQuery, recommendationsQuery, scoreHistoryQuery, scoreQuery } from "../api/host-queries";
import type { Recommendation, Score } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { ControlStatus, statusName } from "../components/control-status";
import { Icon } from "../components/icon";
import { SeverityLabel } from "../components/severity";
import { Empty, ErrorState, Skeleton } from "../components/states";
import { hostStrings } from "../host-strings";
import { count, points } from "../lib/format";
import { asSeverity } from "../lib/severity";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/recommendations");
const t = hostStrings.recommendations;

export function RecommendationsPage() {
  const { id } = route.useSearch();
  return id === undefined ? <All /> : <One id={id} />;
}

function All() {
  useTitle(t.title);
  const score = useQuery(scoreQuery);
  const list = useQuery(recommendationsQuery);
  return (
    <div className="page">
      <h1>{t.title}</h1>
      {score.isError ? (
        <ErrorState error={score.error} retry={() => void score.refetch()} />
      ) : score.data === undefined ? (
        <Skeleton rows={3} />
      ) : (
        <ScoreTile score={score.data} />
      )}
      {score.data !== undefined && score.data.groups.length > 0 && <Groups score={score.data} />}
      {list.isError ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        <Skeleton rows={6} />
      ) : (
        <List recommendations={list.data.recommendations} />
      )}
      <Changes />
    </div>
  );
}

function ScoreTile({ score }: { score: Score }) {
  if (score.share == null) {
    return (
      <Empty title={t.noScore}>
        <p>{t.noScoreHint}</p>
        <Link to="/hosts" search={{}} className="button is-primary">
          {hostStrings.hosts.join}
        </Link>
      </Empty>
    );
  }
  const percent = Math.round(score.share * 100);
  return (
    <section className="panel score" aria-labelledby="score-title">
      <svg className="score-ring" viewBox="0 0 100 100" aria-hidden="true">
        <circle cx="50" cy="50" r="44" />
        <circle className="score-part" cx="50" cy="50" r="44" pathLength="100" strokeDasharray={`${score.share * 100} 100`} />
        <text x="50" y="52">
          {percent}%
        </text>
      </svg>
      <div>
        <h2 id="score-title">{t.score}</h2>
        <p>
          <span className="visually-hidden">{percent}%: </span>
          {t.points(points(score.points), points(score.max))}
        </p>
      </div>
    </section>
  );
}

function Groups({ score }: { score: Score }) {
  return (
    <section className="panel" aria-labelledby="groups-title">
      <header className="panel-header">
        <h2 id="groups-title">{t.groups}</h2>
      </header>
      <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="groups-title">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t.groupColumns.group}</th>
              <th scope="col" className="is-end">{t.groupColumns.max}</th>
              <th scope="col" className="is-end">{t.groupColumns.current}</th>
              <th scope="col" className="is-end">{t.groupColumns.potential}</th>
              <th scope="col" className="is-end">{t.groupColumns.unhealthy}</th>
            </tr>
          </thead>
          <tbody>
            {score.groups.map((group) => (
              <tr key={group.id}>
                <td>{group.title}</td>
                <td className="is-end">{points(group.max)}</td>
                <td className="is-end">{points(group.current)}</td>
                <td className="is-end">{points(group.potential)}</td>
                <td className="is-end">{t.of(group.unhealthy.length, group.unhealthy.length + group.healthy)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function List({ recommendations }: { recommendations: Recommendation[] }) {
  const assets = (one: Recommendation) => one.healthy + one.unhealthy + one.not_applicable + one.unknown;
  const judged = recommendations.filter((one) => assets(one) > 0);
  return (
    <section className="panel" aria-labelledby="list-title">
      <header className="panel-header">
        <h2 id="list-title">{t.list}</h2>
      </header>
      {judged.length > 0 && (
        <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="list-title">
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">{t.columns.title}</th>
                <th scope="col">{t.columns.severity}</th>
                <th scope="col" className="is-end">{t.columns.assets}</th>
                <th scope="col" className="is-end">{t.columns.potential}</th>
              </tr>
            </thead>
            <tbody>
              {judged.map((one) => (
                <tr key={one.id}>
                  <td>
                    <Link to="/recommendations" search={{ id: one.id }}>
                      {one.title}
                    </Link>
                  </td>
                  <td>
                    <SeverityLabel severity={asSeverity(one.severity)} />
                  </td>
                  <td className="is-end">{t.of(one.unhealthy, one.healthy + one.unhealthy)}</td>
                  <td className="is-end">{points(one.potential)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {judged.length < recommendations.length && (
        <p className="panel-text muted">{t.notJudged(recommendations.length - judged.length)}</p>
      )}
    </section>
  );
}

function Changes() {
  const history = useQuery(scoreHistoryQuery);
  const changes = history.data?.points ?? [];
  return (
    <section className="panel" aria-labelledby="changes-title">
      <header className="panel-header">
        <h2 id="changes-title">{t.history}</h2>
      </header>
      {history.isError ? (
        <ErrorState error={history.error} retry={() => void history.refetch()} />
      ) : (
        <ul className="panel-text score-causes">
          {changes.length === 0 && <li className="muted">{t.noHistory}</li>}
          {changes.slice(0, 20).map((point) => (
            <li key={point.at}>
              <strong>{t.points(points(point.points), points(point.max))}</strong>{" "}
              <span className="muted">
                <Time at={point.at} />
              </span>{" "}
              {point.causes.map((cause) => t.cause(cause.asset_name, named(cause.was), named(cause.health))).join("; ")}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function named(status: string | null | undefined): string | undefined {
  return status == null ? undefined : statusName(status).toLowerCase();
}

function One({ id }: { id: string }) {
  const { data: one, error, refetch } = useQuery(recommendationQuery(id));
  useTitle(one?.title ?? t.title);
  return (
    <div className="page">
      <Link to="/recommendations" search={{}} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : one === undefined ? (
        <Skeleton rows={6} />
      ) : (
        <>
          <header className="image-header">
            <div className="image-title">
              <h1>{one.title}</h1>
              <SeverityLabel severity={asSeverity(one.severity)} />
            </div>
            {one.potential > 0 && <p className="image-names">{t.whatIf(points(one.potential))}</p>}
          </header>
          <section className="host-section">
            <h2>{t.why}</h2>
            <p>{one.why}</p>
          </section>
          <section className="host-section">
            <h2>{t.steps}</h2>
            <ol>
              {one.steps.map((step) => (
                <li key={step}>{step}</li>
              ))}
            </ol>
          </section>
          <section className="panel" aria-labelledby="assets-title">
            <header className="panel-header">
              <h2 id="assets-title">
                {t.assets} <span className="muted">{count(one.assets.length)}</span>
              </h2>
            </header>
            <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="assets-title">
              <table className="plain-table">
                <thead>
                  <tr>
                    <th scope="col">{t.assetColumns.name}</th>
                    <th scope="col">{t.assetColumns.health}</th>
                    <th scope="col">{t.assetColumns.reason}</th>
                    <th scope="col">{t.assetColumns.since}</th>
                  </tr>
                </thead>
                <tbody>
                  {one.assets.map((asset) => (
                    <tr key={asset.id}>
                      <td>
                        <Link to="/hosts/$id" params={{ id: String(asset.id) }} search={asset.health === "unhealthy" ? { status: "fail" } : {}}>
                          {asset.name}
                        </Link>
                      </td>
                      <td>
                        <ControlStatus status={asset.health} />
                      </td>
                      <td>{asset.reason}</td>
                      <td>
                        <Time at={asset.since} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>
        </>
      )}
    </div>
  );
}
