// All exemptions: what they take out, why, until when.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, done } from "../api/client";
import { exemptionsQuery, recommendationsQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { Exemption } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { Time, useTitle } from "../components/bits";
import type { Column } from "../components/data-table";
import { FilteredTable } from "../components/filtered-table";
import { Icon } from "../components/icon";
import { Loaded } from "../components/loaded";
import { Removal } from "../components/removal";
import { Empty } from "../components/states";
import { estateStrings } from "../estate-strings";
import type { ExemptionsSearch } from "../lib/estate-filters";
import { useMay } from "../lib/role";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/exemptions");
const t = estateStrings.exemptions;

export function ExemptionsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayChange = useMay("security_admin");
  const list = useQuery(exemptionsQuery);
  const { data: known } = useQuery(recommendationsQuery());
  const [doomed, setDoomed] = useState<Exemption>();
  const change = (part: ExemptionsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const titles = new Map(known?.recommendations.map(({ id, title }) => [id, title]));
  const titleOf = (exemption: Exemption) => titles.get(exemption.recommendation) ?? exemption.recommendation;
  const now = new Date().toISOString();
  const shown = (list.data?.exemptions ?? [])
    .filter((exemption) => {
      const text = [titleOf(exemption), exemption.asset_name ?? "", exemption.environment ?? "", exemption.reason, exemption.author];
      const isEnded = exemption.expires != null && exemption.expires <= now;
      const hasState = search.state === "any" || isEnded === (search.state === "ended");
      return hasState && text.some((part) => part.toLowerCase().includes((search.q ?? "").toLowerCase()));
    })
    // What ends soon comes first.
    .sort((a, b) => (a.expires ?? "9").localeCompare(b.expires ?? "9"));
  return (
    <div className="page">
      <Link to="/recommendations" search={{}} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      <h1>{t.title}</h1>
      <p className="muted">{t.lead}</p>
      <Loaded query={list} rows={6}>
        {({ exemptions: all }) =>
          all.length === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <FilteredTable words={t} states={["active", "ended", "any"]} search={search} change={change} columns={columns(titleOf, now, mayChange ? setDoomed : undefined)} rows={shown} />
          )
        }
      </Loaded>
      <Removal
        item={doomed}
        title={t.takeBackTitle}
        text={(one) => t.takeBackText(titleOf(one))}
        verb={t.takeBack}
        remove={({ id }) => done(api.DELETE("/api/v1/exemptions/{id}", { params: { path: { id } } }))}
        told={t.takenBack}
        stale={keys.posture}
        onClose={() => setDoomed(undefined)}
      />
    </div>
  );
}

function columns(
  titleOf: (exemption: Exemption) => string,
  now: string,
  onTakeBack: ((exemption: Exemption) => void) | undefined,
): Column<Exemption>[] {
  const action: Column<Exemption> = {
    id: "action",
    header: <span className="visually-hidden">{t.columns.action}</span>,
    width: "7.5rem",
    align: "end",
    cell: (exemption) => (
      <button type="button" className="button is-small" aria-label={`${t.takeBack}: ${titleOf(exemption)}`} onClick={() => onTakeBack?.(exemption)}>
        {t.takeBack}
      </button>
    ),
  };
  return [
    {
      id: "recommendation",
      header: t.columns.recommendation,
      width: "30%",
      cell: (exemption) => (
        <span className="two-lines">
          <Link
            to="/recommendations/$id"
            params={{ id: exemption.recommendation }}
            search={{ tab: "not_applicable" }}
            data-row-link=""
            title={titleOf(exemption)}
          >
            {titleOf(exemption)}
          </Link>
          <span className="muted">{t.kinds[exemption.kind as keyof typeof t.kinds] ?? exemption.kind}</span>
        </span>
      ),
    },
    {
      id: "scope",
      header: t.columns.scope,
      width: "18%",
      cell: ({ asset, asset_name, environment }) =>
        asset != null ? <AssetLink id={asset} name={asset_name ?? String(asset)} /> : environment != null ? t.scopeEnvironment(environment) : t.scopeAll,
    },
    { id: "reason", header: t.columns.reason, cell: ({ reason }) => <span title={reason}>{reason}</span> },
    {
      id: "by",
      header: t.columns.by,
      width: "9rem",
      isMinor: true,
      cell: ({ author, created }) => (
        <span className="two-lines">
          <span>{author}</span>
          <Time at={created} />
        </span>
      ),
    },
    {
      id: "until",
      header: t.columns.until,
      width: "8rem",
      sort: "ascending",
      cell: ({ expires }) =>
        expires == null ? (
          t.noEnd
        ) : (
          <span className="two-lines">
            <Time at={expires} />
            {expires <= now && <span className="muted">{t.ended}</span>}
          </span>
        ),
    },
    ...(onTakeBack === undefined ? [] : [action]),
  ];
}
