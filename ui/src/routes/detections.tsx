// The catalogue: every detection, whether it is on, whether it sees what it needs, how much it raises.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { severityName, spelled } from "../alert-strings";
import { detectionsQuery } from "../api/detection-queries";
import type { DetectionList, DetectionSummary } from "../api/types";
import { AlertSeverityLabel } from "../components/alert-words";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { DetectionStatusLabel, NoiseBars, SightLabel } from "../components/detection-words";
import { Choice, TextFilter } from "../components/filter-bar";
import { type ActiveFilter, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { detectionStrings } from "../detection-strings";
import { ALERT_SEVERITIES } from "../lib/alert-filters";
import { DETECTION_STATUSES, type DetectionsSearch, fits, sorted } from "../lib/detection-filters";
import { strings } from "../strings";
import { AlertTabs } from "./alerts-tabs";
import { DetectionPane } from "./detection-pane";
import "./alerts.css";
import "./detections.css";
import "./estate.css";
import "./hosts.css";

const route = getRouteApi("/app/detections");
const t = detectionStrings.detections;
const NONE: DetectionsSearch = { q: undefined, status: undefined, severity: undefined, tactic: undefined, origin: undefined };

export function DetectionsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const list = useQuery(detectionsQuery);
  const change = (part: DetectionsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const open = (detection: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, detection }), replace: search.detection !== undefined, resetScroll: false });
  return (
    <div className={search.detection === undefined ? "page" : "page has-pane"}>
      <div className="page-head">
        <h1>{t.title}</h1>
        <div className="page-actions">
          <Link to="/detections/lists" search={{}} className="button">
            {t.lists}
          </Link>
          <Link to="/detections/files" className="button">
            {t.files}
          </Link>
        </div>
      </div>
      <AlertTabs />
      {list.isError ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <List list={list.data} search={search} change={change} open={open} />
      )}
      {search.detection !== undefined && <DetectionPane id={search.detection} onClose={() => open(undefined)} />}
    </div>
  );
}

interface ListProps {
  list: DetectionList;
  search: DetectionsSearch;
  change: (part: DetectionsSearch) => void;
  open: (id: string | undefined) => void;
}

function List({ list, search, change, open }: ListProps) {
  const all = list.detections;
  const shown = sorted(
    all.filter((one) => fits(one, search)),
    search.sort,
  );
  const tactics = [...new Set(all.flatMap((one) => one.tactics))].sort();
  const counted = (status: (typeof DETECTION_STATUSES)[number]) => all.filter((one) => fits(one, { status })).length;
  return (
    <>
      {list.problems.length > 0 && (
        <div className="banner is-warning" role="alert">
          <strong>{t.problems}</strong>
          <ul className="bullets">
            {list.problems.map(({ file, line, item, message }, at) => (
              <li key={at}>
                {[file, item].filter(Boolean).join(", ")}
                {line > 0 && `, ${detectionStrings.files.line(line)}`}: {message}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={t.severity}
          value={search.severity ?? "any"}
          options={[["any", t.any], ...ALERT_SEVERITIES.map((severity) => [severity, severityName(severity)] as const)]}
          onChange={(severity) => change({ severity: severity === "any" ? undefined : severity })}
        />
        <Choice
          label={t.tactic}
          value={search.tactic ?? ""}
          options={[["", t.any], ...tactics.map((tactic) => [tactic, spelled(tactic)] as const)]}
          onChange={(tactic) => change({ tactic: tactic === "" ? undefined : tactic })}
        />
        {all.some(({ origin }) => origin !== "built_in") && (
          <Choice
            label={t.origin}
            value={search.origin ?? "any"}
            options={(["any", "built_in", "own"] as const).map((origin) => [origin, t.origins[origin]] as const)}
            onChange={(origin) => change({ origin: origin === "any" ? undefined : origin })}
          />
        )}
        <Choice
          label={t.sort}
          value={search.sort ?? "title"}
          options={(["title", "noise", "severity"] as const).map((sort) => [sort, t.sorts[sort]] as const)}
          onChange={(sort) => change({ sort: sort === "title" ? undefined : sort })}
        />
        <span className="filter-count" role="status">
          {t.shown(shown.length, all.length)}
        </span>
      </div>
      <div className="facets">
        <div className="facet-group" role="group" aria-label={t.status}>
          <span className="facet-name" aria-hidden="true">
            {t.status}
          </span>
          {DETECTION_STATUSES.map((status) => (
            <button
              key={status}
              type="button"
              className="chip"
              aria-pressed={search.status === status}
              onClick={() => change({ status: search.status === status ? undefined : status })}
            >
              {t.statuses[status]}
              <span className="chip-count">{counted(status)}</span>
            </button>
          ))}
        </div>
      </div>
      {shown.length === 0 ? (
        <FilteredEmpty title={t.filteredEmpty} filters={activeFilters(search, change)} clear={() => change(NONE)} />
      ) : (
        <DataTable
          label={t.title}
          columns={columns(search)}
          rows={shown}
          rowKey={({ id }) => id}
          rowHeight={3.25}
          total={shown.length}
          onOpen={({ id }) => open(id)}
          openKey={search.detection}
        />
      )}
    </>
  );
}

function activeFilters(search: DetectionsSearch, change: ListProps["change"]): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  const add = (label: string | undefined, part: DetectionsSearch) => {
    if (label !== undefined) active.push({ label, drop: () => change(part) });
  };
  add(search.status && t.statuses[search.status], { status: undefined });
  add(search.severity && severityName(search.severity), { severity: undefined });
  add(search.tactic && spelled(search.tactic), { tactic: undefined });
  add(search.origin && t.origins[search.origin], { origin: undefined });
  add(search.q === undefined ? undefined : strings.filters.text(search.q), { q: undefined });
  return active;
}

function columns(search: DetectionsSearch): Column<DetectionSummary>[] {
  return [
    {
      id: "title",
      header: t.columns.title,
      cell: ({ id, title, tactics, techniques, origin }) => (
        <span className="two-lines">
          <Link to="/detections" search={{ ...search, detection: id }} resetScroll={false} data-row-link="" title={title}>
            {title}
          </Link>
          <span className="muted">
            {[...tactics.map(spelled), ...techniques].join(" · ")}
            {origin !== "built_in" && ` · ${origin}`}
          </span>
        </span>
      ),
    },
    {
      id: "severity",
      header: t.columns.severity,
      width: "9rem",
      ...(search.sort === "severity" ? { sort: "descending" as const } : {}),
      cell: ({ severity }) => <AlertSeverityLabel severity={severity} />,
    },
    { id: "status", header: t.columns.status, width: "8rem", cell: (one) => <DetectionStatusLabel detection={one} /> },
    {
      id: "coverage",
      header: t.columns.coverage,
      width: "8rem",
      isMinor: true,
      cell: ({ coverage, blind_in: blind }) => (
        <span title={blind.length > 0 ? blind.join(", ") : undefined}>
          <SightLabel sight={coverage} />
        </span>
      ),
    },
    {
      id: "noise",
      header: t.columns.noise,
      width: "12rem",
      isMinor: true,
      ...(search.sort === "noise" ? { sort: "descending" as const } : {}),
      cell: ({ noise }) => (
        <span className="noise" title={t.noise(noise.alerts_7_days, noise.alerts_30_days)}>
          <span>{t.noiseShort(noise.alerts_30_days)}</span>
          <NoiseBars days={noise.days} />
        </span>
      ),
    },
    {
      id: "last",
      header: t.columns.last,
      width: "7.5rem",
      cell: ({ noise }) => (noise.last == null ? <span className="muted">{t.never}</span> : <Time at={noise.last} />),
    },
  ];
}
