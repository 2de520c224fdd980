// One asset of a cloud: what recommendations say of it, and of a cluster its controls.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { cloudAssetQuery, cloudReportQuery } from "../api/cloud-queries";
import type { CloudAssetDetail } from "../api/types";
import { Fact, Time, useTitle } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { Icon } from "../components/icon";
import { SeverityCounts, SeverityLabel } from "../components/severity";
import { ErrorState, Skeleton } from "../components/states";
import { cloudStrings } from "../cloud-strings";
import type { HostSearch } from "../lib/host-filters";
import { useHotkeys } from "../lib/hotkeys";
import { asSeverity } from "../lib/severity";
import { kindName } from "./connect";
import { ControlPane } from "./host-control";
import { Controls } from "./host-controls";
import "./connect.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/connect/$id");
const t = cloudStrings.asset;

export function CloudAssetPage() {
  const { id: text } = route.useParams();
  const id = Number(text);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: asset, error, refetch } = useQuery(cloudAssetQuery(id));
  const report = useQuery(cloudReportQuery(id));
  useTitle(asset?.name ?? cloudStrings.assets.title);
  const change = (part: HostSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const open = (control: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, control }), replace: search.control !== undefined, resetScroll: false });
  const control = report.data?.controls.find((one) => one.id === search.control);
  useHotkeys({ Escape: () => void navigate({ to: "/connect" }) }, search.control === undefined);
  if (error !== null) {
    return (
      <div className="page">
        <Back />
        <ErrorState error={error} retry={() => void refetch()} />
      </div>
    );
  }
  return (
    <div className={control === undefined ? "page" : "page has-pane"}>
      <Back />
      {asset === undefined ? <Skeleton rows={4} /> : <Header asset={asset} />}
      {asset?.part_of != null && (
        <p className="banner">
          {t.partOf}{" "}
          <Link to="/clusters/$id" params={{ id: String(asset.part_of.id) }} search={{}}>
            {asset.part_of.name}
          </Link>
        </p>
      )}
      {asset !== undefined && <Recommendations asset={asset} />}
      {asset?.kind !== "kubernetes-cluster" || asset.part_of != null ? null : report.isError ? (
        <ErrorState error={report.error} retry={() => void report.refetch()} />
      ) : report.data === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <section aria-labelledby="controls-title" className="connect-controls">
          <h2 id="controls-title">
            {[t.controls, ...report.data.benchmarks.map(({ title, version }) => `${title} ${version}`)].join(": ")}
          </h2>
          <p className="muted">{t.within}</p>
          <Controls report={report.data} reason={asset.reason ?? undefined} search={search} change={change} open={open} />
        </section>
      )}
      {control !== undefined && asset !== undefined && <ControlPane host={asset} control={control} onClose={() => open(undefined)} />}
    </div>
  );
}

function Header({ asset }: { asset: CloudAssetDetail }) {
  return (
    <header className="image-header">
      <div className="image-title">
        <h1>{asset.name}</h1>
        <ControlStatus status={asset.state} />
        {asset.kind === "kubernetes-cluster" && <SeverityCounts counts={asset.failed} />}
      </div>
      <p className="image-names">
        {kindName(asset.kind)} <span className="is-mono connect-id">{asset.cloud_id}</span>
      </p>
      <dl className="facts">
        <Fact name={t.connectors}>{asset.connectors.join(", ")}</Fact>
        <Fact name={t.seen}>
          <Time at={asset.last_seen} />
        </Fact>
      </dl>
    </header>
  );
}

function Recommendations({ asset }: { asset: CloudAssetDetail }) {
  return (
    <section className="panel" aria-labelledby="recommendations-title">
      <header className="panel-header">
        <h2 id="recommendations-title">{t.recommendations}</h2>
      </header>
      {asset.recommendations.length === 0 ? (
        <p className="muted connect-none">{t.noRecommendations}</p>
      ) : (
        <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="recommendations-title">
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">{t.columns.title}</th>
                <th scope="col">{t.columns.severity}</th>
                <th scope="col">{t.columns.status}</th>
                <th scope="col">{t.columns.reason}</th>
              </tr>
            </thead>
            <tbody>
              {asset.recommendations.map(({ id, title, severity, health, reason }) => (
                <tr key={id}>
                  <td>
                    <Link to="/recommendations/$id" params={{ id }} search={{}}>
                      {title}
                    </Link>
                  </td>
                  <td>
                    <SeverityLabel severity={asSeverity(severity)} />
                  </td>
                  <td>
                    <ControlStatus status={health} />
                  </td>
                  <td>{reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Back() {
  return (
    <Link to="/connect" className="back">
      <Icon name="back" />
      {t.back}
    </Link>
  );
}
