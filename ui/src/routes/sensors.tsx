// The sensors that joined, silent ones flagged, and the tokens by which they do.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";

import { api, done } from "../api/client";
import { sensorsQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { Sensor } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { Time, useTitle } from "../components/bits";
import type { Column } from "../components/data-table";
import { FilteredTable } from "../components/filtered-table";
import { Icon } from "../components/icon";
import { Loaded } from "../components/loaded";
import { Removal } from "../components/removal";
import { Empty } from "../components/states";
import { estateStrings } from "../estate-strings";
import type { SensorsSearch } from "../lib/estate-filters";
import { useMay } from "../lib/role";
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
  const mayChange = useMay("security_admin");
  const list = useQuery(sensorsQuery);
  const [doomed, setDoomed] = useState<Sensor>();
  const change = (part: SensorsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const all = list.data?.sensors ?? [];
  const shown = all
    .filter(({ name, host_name, version, silent }) => {
      const text = `${name} ${host_name ?? ""} ${version}`.toLowerCase();
      return (search.state === undefined || silent === (search.state === "silent")) && text.includes((search.q ?? "").toLowerCase());
    })
    .sort((a, b) => Number(b.silent) - Number(a.silent));
  return (
    <div className="page">
      <h1>{t.title}</h1>
      <p className="muted">{t.lead}</p>
      <Loaded query={list} rows={6}>
        {({ sensors: all }) =>
          all.length === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <FilteredTable words={t} states={["any", "silent", "heard"]} search={search} change={change} columns={columns(mayChange ? setDoomed : undefined)} rows={shown} />
          )
        }
      </Loaded>
      <JoinTokens />
      <Removal
        item={doomed}
        title={t.revokeTitle}
        text={({ name }) => t.revokeText(name)}
        verb={t.revoke}
        remove={({ id }) => done(api.DELETE("/api/v1/sensors/{id}", { params: { path: { id } } }))}
        told={t.revoked}
        stale={keys.posture}
        onClose={() => setDoomed(undefined)}
      />
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
