// What assets should be, and which of them are: by recommendation, or by asset.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { recommendationsQuery, scoreOfQuery } from "../api/estate-queries";
import type { Recommendation, Score } from "../api/types";
import { useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { EnvironmentChoice } from "../components/environment-choice";
import { Choice, TextFilter, Toggle } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { SeverityLabel } from "../components/severity";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { estateStrings, kindName } from "../estate-strings";
import { toggled } from "../lib/address";
import { apiAddress, type RecommendationsSearch } from "../lib/estate-filters";
import { count, points } from "../lib/format";
import { asSeverity, SEVERITIES } from "../lib/severity";
import { strings } from "../strings";
import { AssetList } from "./recommendations-assets";
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
        <View view={undefined} search={search} name={t.byRecommendation} />
        <View view="assets" search={search} name={t.byAsset} />
      </nav>
      {search.view === "assets" ? (
        <AssetList search={search} change={change} />
      ) : list.isError ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <List all={list.data.recommendations} groups={score.data?.groups ?? []} search={search} change={change} />
      )}
    </div>
  );
}

function View({ view, search, name }: { view: RecommendationsSearch["view"]; search: RecommendationsSearch; name: string }) {
  const isCurrent = view === search.view;
  return (
    <Link
      to="/recommendations"
      search={{ view, environment: search.environment }}
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

interface ListProps {
  all: Recommendation[];
  groups: Score["groups"];
  search: RecommendationsSearch;
  change: (part: RecommendationsSearch) => void;
}

const assetsOf = (one: Recommendation) => one.healthy + one.unhealthy + one.not_applicable + one.unknown;

function List({ all, groups, search, change }: ListProps) {
  const navigate = route.useNavigate();
  const judged = all.filter((one) => assetsOf(one) > 0);
  const listed = search.all === "yes" ? all : judged;
  const shown = listed.filter((one) => fits(one, search));
  const severities = search.severity?.split(",") ?? [];
  const active = activeFilters(search, groups, change);
  if (judged.length === 0 && search.all === undefined && active.length === 0) {
    return (
      <Empty title={t.empty}>
        <p>{t.emptyHint}</p>
        <p className="empty-actions">
          <Link to="/hosts" search={{}} className="button is-primary">
            {t.emptyAction}
          </Link>
          <button type="button" className="button" onClick={() => change({ all: "yes" })}>
            {t.showAll}
          </button>
        </p>
        <p className="muted">{t.notJudged(all.length)}</p>
      </Empty>
    );
  }
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <EnvironmentChoice value={search.environment} onChange={(environment) => change({ environment })} />
        {groups.length > 0 && (
          <Choice
            label={t.group}
            value={search.group ?? ""}
            options={[["", estateStrings.any], ...groups.map(({ id, title }) => [id, title] as const)]}
            onChange={(group) => change({ group: group === "" ? undefined : group })}
          />
        )}
        <Toggle label={t.showAll} isOn={search.all === "yes"} onChange={(isOn) => change({ all: isOn ? "yes" : undefined })} />
        <span className="filter-count" role="status">
          {t.shown(shown.length, listed.length)}
        </span>
      </div>
      <div className="facets">
        <div className="facet-group" role="group" aria-label={t.severity}>
          <span className="facet-name" aria-hidden="true">
            {t.severity}
          </span>
          {SEVERITIES.filter((severity) => severities.includes(severity) || listed.some((one) => one.severity === severity)).map((severity) => (
            <button
              key={severity}
              type="button"
              className="chip"
              aria-pressed={severities.includes(severity)}
              onClick={() => change({ severity: toggled(SEVERITIES, search.severity, severity) })}
            >
              {strings.severity[severity]}
              <span className="chip-count">
                {count(listed.filter((one) => one.severity === severity && fits(one, { ...search, severity: undefined })).length)}
              </span>
            </button>
          ))}
        </div>
      </div>
      {shown.length === 0 ? (
        <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ q: undefined, severity: undefined, group: undefined })} />
      ) : (
        <DataTable
          label={t.title}
          columns={columns(search.environment, groups)}
          rows={shown}
          rowKey={({ id }) => id}
          rowHeight={3.25}
          total={shown.length}
          onOpen={({ id }) => void navigate({ to: "/recommendations/$id", params: { id }, search: { environment: search.environment } })}
        />
      )}
      {search.all === undefined && judged.length < all.length && <p className="muted">{t.notJudged(all.length - judged.length)}</p>}
    </>
  );
}

function fits(one: Recommendation, { q, severity, group }: RecommendationsSearch): boolean {
  if (severity !== undefined && !severity.split(",").includes(one.severity)) return false;
  if (group !== undefined && !one.score_groups.includes(group)) return false;
  return q === undefined || one.title.toLowerCase().includes(q.toLowerCase());
}

function activeFilters(search: RecommendationsSearch, groups: Score["groups"], change: ListProps["change"]): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  const { environment, group, severity, q } = search;
  if (environment !== undefined) active.push({ label: environment, drop: () => change({ environment: undefined }) });
  if (group !== undefined) {
    active.push({ label: groups.find(({ id }) => id === group)?.title ?? group, drop: () => change({ group: undefined }) });
  }
  if (severity !== undefined) active.push({ label: severity.replaceAll(",", ", "), drop: () => change({ severity: undefined }) });
  if (q !== undefined) active.push({ label: strings.filters.text(q), drop: () => change({ q: undefined }) });
  return active;
}

const columns = (environment: string | undefined, groups: Score["groups"]): Column<Recommendation>[] => [
  {
    id: "title",
    header: t.columns.title,
    cell: (one) => (
      <span className="two-lines">
        <Link to="/recommendations/$id" params={{ id: one.id }} search={{ environment }} data-row-link="" title={one.title}>
          {one.title}
        </Link>
        <span className="muted">
          {kindName(one.asset)}
          {groups.filter(({ id }) => one.score_groups.includes(id)).map(({ title }) => ` · ${title}`)}
          {one.preview && `, ${t.preview}`}
          {one.quick_fix && `, ${t.quickFix}`}
        </span>
      </span>
    ),
  },
  { id: "severity", header: t.columns.severity, width: "7rem", cell: ({ severity }) => <SeverityLabel severity={asSeverity(severity)} /> },
  {
    id: "health",
    header: t.columns.health,
    width: "11rem",
    cell: ({ healthy, unhealthy }) =>
      healthy + unhealthy === 0 ? (
        <span className="muted">–</span>
      ) : (
        <span className="two-lines">
          <span>{t.of(unhealthy, healthy + unhealthy)}</span>
          <span className="health-bar" aria-hidden="true">
            <span style={{ width: `${(unhealthy * 100) / (healthy + unhealthy)}%` }} />
          </span>
        </span>
      ),
  },
  {
    id: "potential",
    header: t.columns.potential,
    width: "9.5rem",
    align: "end",
    sort: "descending",
    cell: ({ potential }) => (potential > 0 ? t.plus(points(potential)) : <span className="muted">–</span>),
  },
];
