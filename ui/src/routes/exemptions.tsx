// All exemptions: what they take out, why, until when.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, done } from "../api/client";
import { exemptionsQuery, recommendationsQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { Exemption } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Confirm } from "../components/dialog";
import { Choice, TextFilter } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { estateStrings } from "../estate-strings";
import type { ExemptionsSearch } from "../lib/estate-filters";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/exemptions");
const t = estateStrings.exemptions;

export function ExemptionsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const mayChange = useMay("security_admin");
  const list = useQuery(exemptionsQuery);
  const { data: known } = useQuery(recommendationsQuery());
  const [doomed, setDoomed] = useState<Exemption>();
  const change = (part: ExemptionsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const remove = useMutation({
    mutationFn: (id: number) => done(api.DELETE("/api/v1/exemptions/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      notify(t.takenBack);
      return client.invalidateQueries({ queryKey: keys.posture });
    },
    onSettled: () => setDoomed(undefined),
  });
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
  const active: ActiveFilter[] = [];
  if (search.state !== undefined) active.push({ label: t.states[search.state], drop: () => change({ state: undefined }) });
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return (
    <div className="page">
      <Link to="/recommendations" search={{}} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      <h1>{t.title}</h1>
      <p className="muted">{t.lead}</p>
      {list.isError ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        <Skeleton rows={6} />
      ) : list.data.exemptions.length === 0 ? (
        <Empty title={t.empty}>
          <p>{t.emptyHint}</p>
        </Empty>
      ) : (
        <>
          <div className="filter-bar">
            <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
            <Choice
              label={t.state}
              value={search.state ?? "active"}
              options={(["active", "ended", "any"] as const).map((state) => [state, t.states[state]])}
              onChange={(state) => change({ state: state === "active" ? undefined : state })}
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
              columns={columns(titleOf, now, mayChange ? setDoomed : undefined)}
              rows={shown}
              rowKey={({ id }) => String(id)}
              rowHeight={3.25}
              total={shown.length}
            />
          )}
        </>
      )}
      {doomed !== undefined && (
        <Confirm
          title={t.takeBackTitle}
          text={t.takeBackText(titleOf(doomed))}
          verb={t.takeBack}
          isBusy={remove.isPending}
          onConfirm={() => remove.mutate(doomed.id)}
          onClose={() => setDoomed(undefined)}
        />
      )}
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
    width: "6.5rem",
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
