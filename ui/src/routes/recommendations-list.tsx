// Recommendations beneath their score groups, or as one list; the same filters for both.

import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Recommendation, RecommendationGroup, RecommendationList } from "../api/types";
import { type Column, DataTable } from "../components/data-table";
import { EnvironmentChoice } from "../components/environment-choice";
import { Choice, TextFilter, Toggle } from "../components/filter-bar";
import { Health } from "../components/health-bar";
import { Icon } from "../components/icon";
import { SeverityLabel } from "../components/severity";
import { type ActiveFilter, Empty, FilteredEmpty } from "../components/states";
import { statusName } from "../components/control-status";
import { estateStrings, kindName } from "../estate-strings";
import { toggled } from "../lib/address";
import { HEALTH, type RecommendationsSearch } from "../lib/estate-filters";
import { count, percent, points } from "../lib/format";
import { fits, groupedRows, openGroups, openIn, type Row } from "../lib/recommendation-rows";
import { asSeverity, SEVERITIES } from "../lib/severity";
import { strings } from "../strings";

const route = getRouteApi("/app/recommendations");
const t = estateStrings.recommendations;

interface Props {
  data: RecommendationList;
  search: RecommendationsSearch;
  change: (part: RecommendationsSearch) => void;
}

const assetsOf = (one: Recommendation) => one.healthy + one.unhealthy + one.not_applicable + one.unknown;

export function RecommendationsList({ data: { recommendations: all, groups }, search, change }: Props) {
  const judged = all.filter((one) => assetsOf(one) > 0);
  const listed = search.all === "yes" ? all : judged;
  const shown = listed.filter((one) => fits(one, search));
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
      <Filters listed={listed} shown={shown} groups={groups} search={search} change={change} />
      {shown.length === 0 ? (
        <FilteredEmpty
          title={t.filteredEmpty}
          filters={active}
          clear={() => change({ q: undefined, severity: undefined, group: undefined, kind: undefined, status: undefined, environment: undefined })}
        />
      ) : search.view === "list" ? (
        <Flat rows={shown} groups={groups} environment={search.environment} />
      ) : (
        <Grouped shown={shown} groups={groups} search={search} change={change} />
      )}
      {search.all === undefined && judged.length < all.length && <p className="muted">{t.notJudged(all.length - judged.length)}</p>}
    </>
  );
}

interface FiltersProps extends Omit<Props, "data"> {
  listed: Recommendation[];
  shown: Recommendation[];
  groups: RecommendationGroup[];
}

function Filters({ listed, shown, groups, search, change }: FiltersProps) {
  const severities = search.severity?.split(",") ?? [];
  const kinds = [...new Set([...listed.map(({ asset }) => asset), ...(search.kind === undefined ? [] : [search.kind])])].sort();
  const any = ["", estateStrings.any] as const;
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <EnvironmentChoice value={search.environment} onChange={(environment) => change({ environment })} />
        {kinds.length > 1 && (
          <Choice
            label={t.kind}
            value={search.kind ?? ""}
            options={[any, ...kinds.map((kind) => [kind, kindName(kind)] as const)]}
            onChange={(kind) => change({ kind: kind === "" ? undefined : kind })}
          />
        )}
        <Choice
          label={t.status}
          value={search.status ?? ""}
          options={[any, ...HEALTH.map((state) => [state, statusName(state)] as const)]}
          onChange={(state) => change({ status: HEALTH.find((one) => one === state) })}
        />
        {(search.view === "list" || search.group !== undefined) && (
          <Choice
            label={t.group}
            value={search.group ?? ""}
            options={[any, ...groups.map(({ id, title }) => [id, title] as const)]}
            onChange={(group) => change({ group: group === "" ? undefined : group })}
          />
        )}
        <Toggle label={t.showAll} isOn={search.all === "yes"} onChange={(isOn) => change({ all: isOn ? "yes" : undefined })} />
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
        <span className="filter-count" role="status">
          {t.shown(shown.length, listed.length)}
        </span>
        {search.view === undefined && <OpenAll groups={groups} search={search} change={change} />}
      </div>
    </>
  );
}

function OpenAll({ groups, search, change }: Omit<Props, "data"> & { groups: RecommendationGroup[] }) {
  const isOpen = groups.every(({ id }) => openGroups(groups, search).has(id));
  const wanted = new Set(isOpen ? [] : groups.map(({ id }) => id));
  return (
    <button type="button" className="button" onClick={() => change({ open: openIn(groups, wanted, search) })}>
      {isOpen ? t.closeAll : t.openAll}
    </button>
  );
}

function activeFilters(search: RecommendationsSearch, groups: RecommendationGroup[], change: Props["change"]): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  const { environment, group, kind, status, severity, q } = search;
  if (environment !== undefined) active.push({ label: environment, drop: () => change({ environment: undefined }) });
  if (kind !== undefined) active.push({ label: kindName(kind), drop: () => change({ kind: undefined }) });
  if (status !== undefined) active.push({ label: statusName(status), drop: () => change({ status: undefined }) });
  if (group !== undefined) {
    active.push({ label: groups.find(({ id }) => id === group)?.title ?? group, drop: () => change({ group: undefined }) });
  }
  if (severity !== undefined) active.push({ label: severity.replaceAll(",", ", "), drop: () => change({ severity: undefined }) });
  if (q !== undefined) active.push({ label: strings.filters.text(q), drop: () => change({ q: undefined }) });
  return active;
}

function Grouped({ shown, groups, search, change }: Omit<Props, "data"> & { shown: Recommendation[]; groups: RecommendationGroup[] }) {
  const navigate = route.useNavigate();
  const rows = groupedRows(groups, shown, search);
  const whole = groups.filter(isAssessed).reduce((sum, { max }) => sum + max, 0);
  const toggle = (group: string) => {
    const open = new Set(openGroups(groups, search));
    if (!open.delete(group)) open.add(group);
    change({ open: openIn(groups, open, search) });
  };
  return (
    <DataTable
      label={t.title}
      columns={groupedColumns(search.environment, whole, toggle)}
      rows={rows}
      rowKey={({ key }) => key}
      rowHeight={3.25}
      rowClass={({ group }) => (group === undefined ? "is-member" : "is-group")}
      total={rows.length}
      onOpen={(row) =>
        row.group === undefined
          ? void navigate({ to: "/recommendations/$id", params: { id: row.one.id }, search: { environment: search.environment } })
          : toggle(row.group.id)
      }
    />
  );
}

const isAssessed = ({ healthy, unhealthy }: RecommendationGroup) => healthy + unhealthy > 0;

const groupedColumns = (environment: string | undefined, whole: number, toggle: (group: string) => void): Column<Row>[] => [
  {
    id: "title",
    header: t.columns.title,
    cell: (row) => (row.group === undefined ? <Title one={row.one} environment={environment} /> : <GroupTitle {...row} toggle={toggle} />),
  },
  {
    id: "severity",
    header: t.columns.severity,
    width: "7rem",
    cell: (row) => row.group === undefined && <SeverityLabel severity={asSeverity(row.one.severity)} />,
  },
  {
    id: "score",
    header: t.columns.score,
    width: "7.5rem",
    align: "end",
    cell: ({ group }) => group !== undefined && <GroupScore {...group} />,
  },
  { id: "health", header: t.columns.health, width: "11rem", cell: (row) => <Health {...(row.group ?? row.one)} /> },
  {
    id: "potential",
    header: t.columns.potential,
    width: "10rem",
    align: "end",
    sort: "descending",
    cell: (row) => <Potential value={row.group === undefined ? row.potential : row.group.potential} whole={row.group && whole} />,
  },
];

function GroupTitle({ group, shown, isOpen, toggle }: Extract<Row, { group: object }> & { toggle: (group: string) => void }) {
  return (
    <span className="group-title">
      <button type="button" className="group-toggle" data-row-link="" aria-expanded={isOpen} title={group.title} onClick={() => toggle(group.id)}>
        <Icon name={isOpen ? "up" : "down"} />
        <span>{group.title}</span>
      </button>
      <span className="muted">{t.shown(shown, group.recommendations.length)}</span>
    </span>
  );
}

function GroupScore(group: RecommendationGroup) {
  if (!isAssessed(group)) return <span className="muted">{t.notAssessed}</span>;
  if (group.max === 0) return <span className="muted">{t.noPoints}</span>;
  return t.pointsOf(points(group.current), points(group.max));
}

function Potential({ value, whole }: { value: number; whole: number | undefined }) {
  if (value <= 0) return <span className="muted">–</span>;
  return (
    <>
      {t.plus(points(value))}
      {whole !== undefined && whole > 0 && <span className="muted"> {percent(value / whole)}</span>}
    </>
  );
}

/** Its name, and beneath it what it is about. */
function Title({ one, environment, children }: { one: Recommendation; environment: string | undefined; children?: ReactNode }) {
  return (
    <span className="two-lines">
      <Link to="/recommendations/$id" params={{ id: one.id }} search={{ environment }} data-row-link="" title={one.title}>
        {one.title}
      </Link>
      <span className="muted">
        {kindName(one.asset)}
        {children}
        {one.preview && `, ${t.preview}`}
        {one.quick_fix && `, ${t.quickFix}`}
        {one.deny && `, ${t.deny}`}
      </span>
    </span>
  );
}

function Flat({ rows, groups, environment }: { rows: Recommendation[]; groups: RecommendationGroup[]; environment: string | undefined }) {
  const navigate = route.useNavigate();
  return (
    <DataTable
      label={t.title}
      columns={columns(environment, groups)}
      rows={rows}
      rowKey={({ id }) => id}
      rowHeight={3.25}
      total={rows.length}
      onOpen={({ id }) => void navigate({ to: "/recommendations/$id", params: { id }, search: { environment } })}
    />
  );
}

const columns = (environment: string | undefined, groups: RecommendationGroup[]): Column<Recommendation>[] => [
  {
    id: "title",
    header: t.columns.title,
    cell: (one) => (
      <Title one={one} environment={environment}>
        {groups.filter(({ id }) => one.score_groups.includes(id)).map(({ title }) => ` · ${title}`)}
      </Title>
    ),
  },
  { id: "severity", header: t.columns.severity, width: "7rem", cell: ({ severity }) => <SeverityLabel severity={asSeverity(severity)} /> },
  { id: "health", header: t.columns.health, width: "11rem", cell: (one) => <Health {...one} /> },
  {
    id: "potential",
    header: t.columns.potential,
    width: "9.5rem",
    align: "end",
    sort: "descending",
    cell: ({ potential }) => <Potential value={potential} whole={undefined} />,
  },
];
