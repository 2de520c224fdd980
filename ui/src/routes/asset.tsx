// One asset of any kind: what it needs, what it passes, and what does not concern it, with the cause.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { api, done } from "../api/client";
import { assetQuery, environmentsQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { AssetDetail, AssetRecommendation } from "../api/types";
import { AssetLink, configurationAddress } from "../components/asset-link";
import { Fact, Time, useTitle } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { type Column, DataTable } from "../components/data-table";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { Icon } from "../components/icon";
import { SeverityLabel } from "../components/severity";
import { Empty, ErrorState, Skeleton } from "../components/states";
import { estateStrings, kindName } from "../estate-strings";
import { imageUseStrings } from "../image-use-strings";
import { type AssetSearch, HEALTH, type Health } from "../lib/estate-filters";
import { count, points } from "../lib/format";
import { useHotkeys } from "../lib/hotkeys";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { asSeverity } from "../lib/severity";
import { AssetImages } from "./asset-images";
import "./estate.css";
import "./hosts.css";
import "./image.css";

/** Kinds of assets that use images, or hold them. */
const WITH_IMAGES = ["docker-host", "kubernetes-cluster", "registry"];

const route = getRouteApi("/app/asset/$id");
const t = estateStrings.asset;

export function AssetPage() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: asset, error, refetch } = useQuery(assetQuery(Number(id)));
  useTitle(asset?.name ?? estateStrings.recommendations.byAsset);
  useHotkeys({ Escape: () => void navigate({ to: "/recommendations", search: { view: "assets" } }) });
  const change = (part: AssetSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  return (
    <div className="page">
      <Link to="/recommendations" search={{ view: "assets" }} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      {asset === undefined && <h1>{estateStrings.recommendations.assetColumns.name}</h1>}
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : asset === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <>
          <Header asset={asset} />
          <nav className="tabs" aria-label={t.tabs}>
            {HEALTH.map((health) => (
              <Tab key={health} id={id} tab={health === "unhealthy" ? undefined : health} current={search.tab} name={t.tab[health]} number={asset[health]} />
            ))}
            {WITH_IMAGES.includes(asset.kind) && <Tab id={id} tab="images" current={search.tab} name={imageUseStrings.images.tab} />}
          </nav>
          {search.tab === "images" ? (
            <AssetImages asset={asset.id} search={search} change={change} />
          ) : (
            <List asset={asset} tab={search.tab ?? "unhealthy"} />
          )}
        </>
      )}
    </div>
  );
}

interface TabProps {
  id: string;
  tab: AssetSearch["tab"];
  current: AssetSearch["tab"];
  name: string;
  number?: number;
}

function Tab({ id, tab, current, name, number }: TabProps) {
  const isCurrent = tab === current;
  return (
    <Link
      to="/asset/$id"
      params={{ id }}
      search={{ tab }}
      className={isCurrent ? "tab is-current" : "tab"}
      aria-current={isCurrent ? "page" : undefined}
      resetScroll={false}
    >
      {name} {number !== undefined && <span className="tab-count">{count(number)}</span>}
    </Link>
  );
}

function List({ asset, tab }: { asset: AssetDetail; tab: Health }) {
  const navigate = route.useNavigate();
  const shown = asset.recommendations.filter(({ health }) => health === tab);
  if (shown.length === 0) return <Empty title={t.empty[tab]} />;
  return (
    <DataTable
      label={t.tab[tab]}
      columns={COLUMNS}
      rows={shown}
      rowKey={({ id }) => id}
      rowHeight={2.75}
      total={shown.length}
      onOpen={({ id }) => void navigate({ to: "/recommendations/$id", params: { id }, search: {} })}
    />
  );
}

const COLUMNS: Column<AssetRecommendation>[] = [
  {
    id: "title",
    header: t.columns.title,
    width: "44%",
    cell: ({ id, title }) => (
      <Link to="/recommendations/$id" params={{ id }} search={{}} data-row-link="" title={title}>
        {title}
      </Link>
    ),
  },
  { id: "severity", header: t.columns.severity, width: "7rem", cell: ({ severity }) => <SeverityLabel severity={asSeverity(severity)} /> },
  {
    id: "reason",
    header: t.columns.reason,
    cell: ({ reason, exemption }) => (
      <span title={reason ?? undefined}>
        {exemption != null && <span className="tag">{estateStrings.recommendation.exempted}</span>} {reason}
      </span>
    ),
  },
  { id: "since", header: t.columns.since, width: "8rem", isMinor: true, cell: ({ since }) => <Time at={since} /> },
  {
    id: "potential",
    header: t.columns.potential,
    width: "9.5rem",
    align: "end",
    cell: ({ potential }) => (potential > 0 ? estateStrings.recommendations.plus(points(potential)) : <span className="muted">–</span>),
  },
];

function Header({ asset }: { asset: AssetDetail }) {
  const mayMove = useMay("operator");
  const [isMoving, setMoving] = useState(false);
  const more = configurationAddress(asset);
  return (
    <header className="image-header">
      <div className="image-title">
        <h1>{asset.name}</h1>
        <ControlStatus status={asset.state} />
      </div>
      {asset.reason != null && <p className="image-names">{asset.reason}</p>}
      {asset.part_of != null && (
        <p className="banner">
          {t.partOf} <AssetLink id={asset.part_of} name={t.whole} />
        </p>
      )}
      {asset.potential > 0 && <p className="image-names">{t.potential(points(asset.potential))}</p>}
      <dl className="facts">
        <Fact name={t.kind}>{kindName(asset.kind)}</Fact>
        <Fact name={estateStrings.environment}>
          {asset.environment}
          {mayMove && (
            <button type="button" className="button is-small" onClick={() => setMoving(true)}>
              {t.move}
            </button>
          )}
        </Fact>
        <Fact name={t.seen}>
          <Time at={asset.last_seen} />
        </Fact>
        {more !== undefined && (
          <Fact name={t.more}>
            <Link to={more as "/hosts"}>{asset.name}</Link>
          </Fact>
        )}
      </dl>
      {isMoving && <Move asset={asset} onClose={() => setMoving(false)} />}
    </header>
  );
}

function Move({ asset, onClose }: { asset: AssetDetail; onClose: () => void }) {
  const client = useQueryClient();
  const { data } = useQuery(environmentsQuery);
  const move = useMutation({
    meta: { showsError: true },
    mutationFn: (environment: string) =>
      done(api.PUT("/api/v1/assets/{id}/environment", { params: { path: { id: asset.id } }, body: { environment } })),
    onSuccess: (_, environment) => {
      notify(t.moved(environment));
      onClose();
      return client.invalidateQueries({ queryKey: keys.posture });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    move.mutate(String(new FormData(event.currentTarget).get("environment")).trim());
  };
  return (
    <Dialog title={t.moveTo} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <label className="field">
          {estateStrings.environment}
          <input
            className="input"
            name="environment"
            list="environments"
            defaultValue={asset.environment}
            pattern="[A-Za-z0-9._\-]{1,60}"
            title={t.moveHint}
            required
            autoComplete="off"
          />
        </label>
        <datalist id="environments">
          {data?.environments.map(({ name }) => <option key={name} value={name} />)}
        </datalist>
        <FormActions error={move.error} verb={t.move} isBusy={move.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}
