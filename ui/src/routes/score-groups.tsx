// What the score is made of, down to the assets that bring and cost each point.

import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";

import { scoreGroupQuery } from "../api/estate-queries";
import type { Score, ScoreGroup } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { ErrorState, Skeleton } from "../components/states";
import { estateStrings } from "../estate-strings";
import type { ScoreSearch } from "../lib/estate-filters";
import { count, percent, points } from "../lib/format";

const t = estateStrings.score;
const SHOWN = 200;

interface Props {
  score: Score;
  search: ScoreSearch;
  change: (part: ScoreSearch) => void;
}

export function ScoreGroups({ score, search, change }: Props) {
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
              <th scope="col" className="is-end">{t.groupColumns.perAsset}</th>
              <th scope="col" className="is-end">{t.groupColumns.unhealthy}</th>
            </tr>
          </thead>
          <tbody>
            {score.groups.map((group) => (
              <Group key={group.id} group={group} whole={score.max} search={search} change={change} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Group({ group, whole, search, change }: { group: ScoreGroup; whole: number } & Omit<Props, "score">) {
  const isOpen = search.group === group.id;
  return (
    <Fragment>
      <tr>
        <td>
          <button
            type="button"
            className="link-button"
            aria-expanded={isOpen}
            title={t.showAssets(group.title)}
            onClick={() => change({ group: isOpen ? undefined : group.id })}
          >
            {group.title}
          </button>
        </td>
        <td className="is-end">{points(group.max)}</td>
        <td className="is-end">{points(group.current)}</td>
        <td className="is-end">
          {group.potential > 0 ? `+${points(group.potential)}` : "–"}{" "}
          {group.potential > 0 && whole > 0 && <span className="muted">{percent(group.potential / whole)}</span>}
        </td>
        <td className="is-end">{points(group.per_asset)}</td>
        <td className="is-end">
          {estateStrings.recommendations.of(group.unhealthy_count, group.unhealthy_count + group.healthy)}
          {group.unknown > 0 && <span className="muted"> {t.unknown(group.unknown)}</span>}
        </td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={6}>
            <Assets group={group} environment={search.environment} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function Assets({ group, environment }: { group: ScoreGroup; environment: string | undefined }) {
  const { data, error, refetch } = useQuery(scoreGroupQuery(group.id, environment));
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Skeleton rows={3} />;
  const lists = [
    [t.cost, data.unhealthy_assets, group.unhealthy_count],
    [t.bring(points(group.per_asset)), data.healthy_assets, group.healthy],
    [t.untold, data.unknown_assets, group.unknown],
  ] as const;
  return (
    <div className="score-assets">
      {lists.map(([title, assets, all]) => (
        <section key={title}>
          <h3>
            {title} <span className="muted">{count(all)}</span>
          </h3>
          {assets.length === 0 && <p className="muted">{t.noAssets}</p>}
          <ul>
            {assets.slice(0, SHOWN).map(({ id, name, recommendations }) => (
              <li key={id}>
                <AssetLink id={id} name={name} /> <span className="muted">{recommendations.join(", ")}</span>
              </li>
            ))}
            {all > Math.min(assets.length, SHOWN) && <li className="muted">…</li>}
          </ul>
        </section>
      ))}
    </div>
  );
}
