// The inbox: alerts on the left, the open one on the right, everything by keyboard.

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { alertStrings, severityName, stateName } from "../alert-strings";
import { alertFacetsQuery, alertsQuery } from "../api/alert-queries";
import { api, data } from "../api/client";
import { keys } from "../api/queries";
import type { AlertSummary } from "../api/types";
import { AlertSeverityLabel, AlertStateLabel } from "../components/alert-words";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Choice, TextFilter } from "../components/filter-bar";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, FormError, Skeleton } from "../components/states";
import { ALERT_SEVERITIES, ALERT_STATES, type AlertSeverity, type AlertsSearch } from "../lib/alert-filters";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import { useAlertChange } from "./alert-actions";
import { AlertPane } from "./alert-pane";
import { AlertTabs } from "./alerts-tabs";
import "./alerts.css";
import "./estate.css";
import "./hosts.css";

const route = getRouteApi("/app/alerts");
const t = alertStrings.alerts;
const NONE: AlertsSearch = {
  q: undefined,
  severity: undefined,
  cluster: undefined,
  rule: undefined,
  tactic: undefined,
  owner: undefined,
  entity: undefined,
};

export function AlertsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(alertsQuery(search));
  const { data: facets } = useQuery(alertFacetsQuery);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const alerts = query.data?.pages.flatMap((page) => page.alerts) ?? [];
  const change = (part: AlertsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const open = (alert: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, alert }), replace: search.alert !== undefined, resetScroll: false });
  // What was dealt with leaves the list: the next one takes its place in the pane.
  const next = () => {
    if (search.state !== undefined) return;
    const at = alerts.findIndex(({ id }) => id === search.alert);
    open((alerts[at + 1] ?? alerts[at - 1])?.id);
  };
  const toggle = (id: string) =>
    setChosen((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  const toggleAll = () => setChosen(chosen.size >= alerts.length ? new Set() : new Set(alerts.map(({ id }) => id)));
  const active = activeFilters(search, change);
  const known = facets?.states.reduce((sum, { alerts: n }) => sum + n, 0) ?? 0;

  const content = query.isError ? (
    <ErrorState error={query.error} retry={() => void query.refetch()} />
  ) : query.isPending ? (
    <Skeleton rows={8} />
  ) : alerts.length > 0 ? (
    <DataTable
      label={t.title}
      columns={columns({ chosen, toggle, toggleAll, all: alerts.length }, search)}
      rows={alerts}
      rowKey={({ id }) => id}
      rowHeight={3.25}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      onEndReached={() => void query.fetchNextPage()}
      onOpen={({ id }) => open(id)}
      openKey={search.alert}
    />
  ) : active.length > 0 ? (
    <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ ...NONE, state: undefined })} />
  ) : known > 0 ? (
    <Empty title={t.allDone}>
      <p>{t.allDoneHint}</p>
      <p className="empty-actions">
        <button type="button" className="button" onClick={() => change({ state: "any" })}>
          {t.showAll}
        </button>
      </p>
    </Empty>
  ) : (
    <FirstSteps />
  );
  return (
    <div className={search.alert === undefined ? "page" : "page has-pane"}>
      <h1>{t.title}</h1>
      <AlertTabs />
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={t.state}
          value={search.state ?? "open"}
          options={[["open", t.open], ...ALERT_STATES.map((state) => [state, stateName(state)] as const), ["any", t.any]]}
          onChange={(state) => change({ state: state === "open" ? undefined : state })}
        />
        <Choice
          label={t.severity}
          value={(search.severity as AlertSeverity | undefined) ?? "any"}
          options={[["any", t.any], ...ALERT_SEVERITIES.map((severity) => [severity, severityName(severity)] as const)]}
          onChange={(severity) => change({ severity: severity === "any" ? undefined : severity })}
        />
        {(facets?.clusters.length ?? 0) > 1 && (
          <Choice
            label={t.cluster}
            value={search.cluster ?? ""}
            options={[["", t.any], ...(facets?.clusters ?? []).map(({ value, title }) => [value, title] as const)]}
            onChange={(cluster) => change({ cluster: cluster === "" ? undefined : cluster })}
          />
        )}
        <Choice
          label={t.sort}
          value={search.sort ?? "newest"}
          options={[
            ["newest", t.newest],
            ["severity", t.gravest],
          ]}
          onChange={(sort) => change({ sort: sort === "severity" ? sort : undefined })}
        />
        <span className="filter-count" role="status">
          {query.isSuccess && t.shown(alerts.length, query.hasNextPage)}
        </span>
      </div>
      {active.length > 0 && alerts.length > 0 && <Active filters={active} />}
      {chosen.size > 0 && <Bulk chosen={chosen} clear={() => setChosen(new Set())} />}
      {content}
      {search.alert !== undefined && <AlertPane id={search.alert} onClose={() => open(undefined)} onNext={next} />}
    </div>
  );
}

/** Filters that no field shows, such as an entity that was followed. */
function Active({ filters }: { filters: readonly ActiveFilter[] }) {
  return (
    <p className="chips">
      {filters.map(({ label, drop }) => (
        <button key={label} type="button" className="button is-small" onClick={drop}>
          {strings.filters.drop(label)}
        </button>
      ))}
    </p>
  );
}

function Bulk({ chosen, clear }: { chosen: ReadonlySet<string>; clear: () => void }) {
  const change = useAlertChange(clear);
  const { next } = alertStrings.alert;
  return (
    <div className="banner" role="status">
      <strong>{t.chosen(chosen.size)}</strong>
      {(["in_progress", "resolved", "dismissed"] as const).map((state) => (
        <button
          key={state}
          type="button"
          className="button is-small"
          disabled={change.isPending}
          onClick={() => change.mutate({ ids: [...chosen], state })}
        >
          {next[state]}
        </button>
      ))}
      <button type="button" className="button is-small" onClick={clear}>
        {t.unchoose}
      </button>
      <FormError error={change.error} />
    </div>
  );
}

function FirstSteps() {
  const client = useQueryClient();
  const mayMake = useMay("security_admin");
  const make = useMutation({
    mutationFn: () => data(api.POST("/api/v1/alerts/samples")),
    onSuccess: ({ alerts }) => {
      notify(t.samplesMade(alerts.length));
      return client.invalidateQueries({ queryKey: keys.alerts });
    },
  });
  return (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
      <p className="empty-actions">
        <Link to="/audit" className="button is-primary">
          {t.connect}
        </Link>
        {mayMake && (
          <button type="button" className="button" disabled={make.isPending} onClick={() => make.mutate()}>
            {t.samples}
          </button>
        )}
      </p>
      <FormError error={make.error} />
    </Empty>
  );
}

function activeFilters(search: AlertsSearch, change: (part: AlertsSearch) => void): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  const add = (label: string | undefined, part: AlertsSearch) => {
    if (label !== undefined) active.push({ label, drop: () => change(part) });
  };
  add(search.state === undefined || search.state === "any" ? undefined : stateName(search.state), { state: undefined });
  add(search.severity?.split(",").map(severityName).join(", "), { severity: undefined });
  add(search.cluster, { cluster: undefined });
  add(search.rule, { rule: undefined });
  add(search.tactic, { tactic: undefined });
  add(search.owner, { owner: undefined });
  add(search.entity, { entity: undefined });
  add(search.q === undefined ? undefined : strings.filters.text(search.q), { q: undefined });
  return active;
}

interface Choosing {
  chosen: ReadonlySet<string>;
  toggle: (id: string) => void;
  toggleAll: () => void;
  /** Alerts that are there to be chosen. */
  all: number;
}

/** Rules of Falco's name nothing that an alert is about. */
function about(entity: string, cluster: string): string {
  return [entity, cluster].filter(Boolean).join(" · ");
}

function columns({ chosen, toggle, toggleAll, all }: Choosing, search: AlertsSearch): Column<AlertSummary>[] {
  return [
    {
      id: "choose",
      header: <input type="checkbox" className="choose" aria-label={t.chooseAll} checked={chosen.size >= all} onChange={toggleAll} />,
      width: "3rem",
      cell: ({ id, title }) => (
        <input type="checkbox" className="choose" aria-label={t.choose(title)} checked={chosen.has(id)} onChange={() => toggle(id)} />
      ),
    },
    {
      id: "title",
      header: t.columns.title,
      cell: ({ id, title, compromised_entity: entity, cluster, is_sample: isSample, suppressed_by: rule }) => (
        <span className="two-lines">
          <span>
            <Link to="/alerts" search={{ ...search, alert: id }} resetScroll={false} data-row-link="" title={title}>
              {title}
            </Link>{" "}
            {isSample && <span className="tag">{t.sample}</span>} {rule != null && <span className="tag">{t.suppressed}</span>}
          </span>
          <span className="muted" title={about(entity, cluster)}>
            {about(entity, cluster)}
          </span>
        </span>
      ),
    },
    { id: "severity", header: t.columns.severity, width: "8rem", cell: ({ severity }) => <AlertSeverityLabel severity={severity} /> },
    { id: "state", header: t.columns.state, width: "8rem", isMinor: true, cell: ({ state }) => <AlertStateLabel state={state} /> },
    { id: "seen", header: t.columns.seen, width: "5rem", align: "end", isMinor: true, cell: ({ seen }) => t.times(seen) },
    { id: "last", header: t.columns.last, width: "8rem", cell: ({ last_seen: last }) => <Time at={last} /> },
  ];
}
