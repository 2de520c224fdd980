// One recommendation: why, what to do, and what it says of which assets.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Fragment } from "react";

import { recommendationQuery, scoreOfQuery } from "../api/estate-queries";
import type { RecommendationDetail } from "../api/types";
import { useTitle } from "../components/bits";
import { statusName } from "../components/control-status";
import { Icon } from "../components/icon";
import { SeverityLabel } from "../components/severity";
import { ErrorState, Skeleton } from "../components/states";
import { estateStrings, kindName } from "../estate-strings";
import { apiAddress, HEALTH, type Health, type RecommendationSearch } from "../lib/estate-filters";
import { count, points } from "../lib/format";
import { useHotkeys } from "../lib/hotkeys";
import { asSeverity } from "../lib/severity";
import { RecommendationAssets } from "./recommendation-assets";
import { Settings } from "./recommendation-settings";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/recommendations/$id");
const t = estateStrings.recommendation;

export function RecommendationPage() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: one, error, refetch } = useQuery(recommendationQuery(id, search.environment));
  useTitle(one?.title ?? estateStrings.recommendations.title);
  useHotkeys({ Escape: () => void navigate({ to: "/recommendations", search: { environment: search.environment } }) });
  const change = (part: RecommendationSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  return (
    <div className="page">
      <Link to="/recommendations" search={{ environment: search.environment }} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      {one === undefined && <h1>{estateStrings.recommendations.title}</h1>}
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : one === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <>
          <Header one={one} />
          {one.asset === "kubernetes-cluster" && <Settings recommendation={id} />}
          <section className="host-section" aria-labelledby="assets-title">
            <div className="page-head">
              <h2 id="assets-title">{t.assets}</h2>
              <a
                className="button is-small"
                href={apiAddress(`/api/v1/recommendations/${encodeURIComponent(id)}/csv`, { environment: search.environment, q: search.q })}
                download={`${id}.csv`}
                title={estateStrings.csvHint}
              >
                <Icon name="download" />
                {estateStrings.csv}
              </a>
            </div>
            <nav className="tabs" aria-label={t.tabs}>
              {HEALTH.map((health) => (
                <Tab key={health} id={id} health={health} search={search} number={one[health]} />
              ))}
            </nav>
            <RecommendationAssets key={`${search.tab} ${search.environment}`} recommendation={one} search={search} change={change} />
          </section>
        </>
      )}
    </div>
  );
}

/** Text in which commands stand between backticks. */
function Coded({ text }: { text: string }) {
  return text.split("`").map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : <Fragment key={at}>{part}</Fragment>));
}

function Tab({ id, health, search, number }: { id: string; health: Health; search: RecommendationSearch; number: number }) {
  const tab = health === "unhealthy" ? undefined : health;
  const isCurrent = tab === search.tab;
  return (
    <Link
      to="/recommendations/$id"
      params={{ id }}
      search={{ tab, environment: search.environment }}
      className={isCurrent ? "tab is-current" : "tab"}
      aria-current={isCurrent ? "page" : undefined}
      resetScroll={false}
    >
      {statusName(health)} <span className="tab-count">{count(number)}</span>
    </Link>
  );
}

function Header({ one }: { one: RecommendationDetail }) {
  const { data: score } = useQuery(scoreOfQuery());
  const title = (id: string) => score?.groups.find((group) => group.id === id)?.title ?? id.replaceAll("-", " ");
  return (
    <>
      <header className="image-header">
        <div className="image-title">
          <h1>{one.title}</h1>
          <SeverityLabel severity={asSeverity(one.severity)} />
          <span className="tag">{kindName(one.asset)}</span>
          {one.preview && <span className="tag">{estateStrings.recommendations.preview}</span>}
        </div>
        {one.potential > 0 && <p className="image-names">{t.whatIf(points(one.potential))}</p>}
      </header>
      <div className="advice">
        <section className="host-section">
          <h2>{t.why}</h2>
          <p>{one.why}</p>
          <p className="muted">
            {one.score_groups.length === 0 || one.preview ? (
              t.uncounted
            ) : (
              <>
                {t.groups}{" "}
                {one.score_groups.map((id, at) => (
                  <span key={id}>
                    {at > 0 && ", "}
                    <Link to="/score" search={{ group: id }}>
                      {title(id)}
                    </Link>
                  </span>
                ))}
              </>
            )}
          </p>
          {one.benchmark != null && (
            <p className="muted">
              {t.benchmark}{" "}
              <Link to="/compliance/$benchmark" params={{ benchmark: one.benchmark }} search={{ status: "fail" }}>
                {one.benchmark}
              </Link>
            </p>
          )}
        </section>
        <section className="host-section">
          <h2>{t.steps}</h2>
          <ol>
            {one.steps.map((step) => (
              <li key={step}>
                <Coded text={step} />
              </li>
            ))}
          </ol>
          {one.quick_fix_text != null && (
            <>
              <h3>{t.quickFix}</h3>
              <p>{one.quick_fix_text}</p>
            </>
          )}
        </section>
      </div>
    </>
  );
}
