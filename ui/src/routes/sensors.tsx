// The sensors that joined, silent ones flagged, and the tokens by which they do.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";

import { api, done } from "../api/client";
import { sensorsQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { Sensor } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Confirm } from "../components/dialog";
import { Choice, TextFilter } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { estateStrings } from "../estate-strings";
import type { SensorsSearch } from "../lib/estate-filters";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import { JoinTokens } from "./sensors-tokens";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/sensors");
const t = estateStrings.sensors;

export function SensorsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const mayChange = useMay("security_admin");
  const list = useQuery(sensorsQuery);
  const [doomed, setDoomed] = useState<Sensor>();
  const change = (part: SensorsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const remove = useMutation({
    mutationFn: (id: number) => done(api.DELETE("/api/v1/sensors/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      notify(t.revoked);
      return client.invalidateQueries({ queryKey: keys.posture });
    },
    onSettled: () => setDoomed(undefined),
  });
  const all = list.data?.sensors ?? [];
  const shown = all
    .filter(({ name, host_name, version, silent }) => {
      const text = `${name} ${host_name ?? ""} ${version}`.toLowerCase();
      return (search.state === undefined || silent === (search.state === "silent")) && text.includes((search.q ?? "").toLowerCase());
    })
    .sort((a, b) => Number(b.silent) - Number(a.silent));
  const active: ActiveFilter[] = [];
  if (search.state !== undefined) active.push({ label: t.states[search.state], drop: () => change({ state: undefined }) });
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return (
    <div className="page">
      <h1>{t.title}</h1>
      <p className="muted">{t.lead}</p>
      {list.isError ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        <Skeleton rows={6} />
      ) : all.length === 0 ? (
        <Empty title={t.empty}>
          <p>{t.emptyHint}</p>
        </Empty>
      ) : (
        <>
          <div className="filter-bar">
            <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
            <Choice
              label={t.state}
              value={search.state ?? "any"}
              options={(["any", "silent", "heard"] as const).map((state) => [state, t.states[state]])}
              onChange={(state) => change({ state: state === "any" ? undefined : state })}
            />
            <span className="filter-count" role="status">
              {t.shown(shown.length)}
            </span>
          </div>
          {shown.length === 0 ? (
            <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ q: undefined, state: undefined })} />
          ) : (
            <DataTable
              label={t.title}
              columns={columns(mayChange ? setDoomed : undefined)}
              rows={shown}
              rowKey={({ id }) => String(id)}
              rowHeight={3.25}
              total={shown.length}
            />
          )}
        </>
      )}
      <JoinTokens />
      {doomed !== undefined && (
        <Confirm
          title={t.revokeTitle}
          text={t.revokeText(doomed.name)}
          verb={t.revoke}
          isBusy={remove.isPending}
          onConfirm={() => remove.mutate(doomed.id)}
          onClose={() => setDoomed(undefined)}
        />
      )}
    </div>
  );
}

function columns(onRevoke: ((sensor: Sensor) => void) | undefined): Column<Sensor>[] {
  const action: Column<Sensor> = {
    id: "action",
    header: <span className="visually-hidden">{t.columns.action}</span>,
    width: "6rem",
    align: "end",
    cell: (sensor) => (
      <button type="button" className="button is-small" aria-label={`${t.revoke} ${sensor.name}`} onClick={() => onRevoke?.(sensor)}>
        {t.revoke}
      </button>
    ),
  };
  return [
    {
      id: "name",
      header: t.columns.name,
      cell: ({ name, joined_by }) => (
        <span className="two-lines">
          <strong>{name}</strong>
          <span className="muted">{t.by(joined_by)}</span>
        </span>
      ),
    },
    {
      id: "host",
      header: t.columns.host,
      cell: ({ host, host_name, environment }) =>
        host == null || host_name == null ? (
          <span className="muted">{t.noFacts}</span>
        ) : (
          <span className="two-lines">
            <AssetLink id={host} name={host_name} isRow />
            <span className="muted">{environment}</span>
          </span>
        ),
    },
    { id: "version", header: t.columns.version, width: "7rem", cell: ({ version }) => version },
    { id: "joined", header: t.columns.joined, width: "8rem", isMinor: true, cell: ({ joined }) => <Time at={joined} /> },
    {
      id: "seen",
      header: t.columns.seen,
      width: "11rem",
      cell: ({ last_seen, silent }) => (
        <span className="two-lines">
          <Time at={last_seen} />
          {silent && (
            <span className="warning-text" title={t.silentHint}>
              <Icon name="warning" /> {t.silent}
            </span>
          )}
        </span>
      ),
    },
    ...(onRevoke === undefined ? [] : [action]),
  ];
}
