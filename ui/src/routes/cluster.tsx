// One cluster: what recommendations and benchmarks say of it, its nodes, its workloads, and how it changed; one thing in
// the pane.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { clusterHistoryQuery, clusterQuery, clusterReportQuery } from "../api/cluster-queries";
import type { ClusterDetail } from "../api/types";
import { clusterStrings } from "../cluster-strings";
import { imageUseStrings } from "../image-use-strings";
import { Fact, Time, useTitle } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { Choice } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { SeverityCounts } from "../components/severity";
import { ErrorState, Skeleton } from "../components/states";
import { BENCHMARKS, type ClusterSearch } from "../lib/cluster-filters";
import { count } from "../lib/format";
import type { HostSearch } from "../lib/host-filters";
import { useHotkeys } from "../lib/hotkeys";
import { Overview } from "./cluster-overview";
import { RecommendationPane } from "./cluster-recommendation";
import { WorkloadPane } from "./cluster-workload";
import { Workloads } from "./cluster-workloads";
import { ControlPane } from "./host-control";
import { Controls } from "./host-controls";
import { Changes } from "./host-history";
import { CloudSide } from "./cluster-cloud";
import { watchName } from "./clusters";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/clusters/$id");
const t = clusterStrings.cluster;
const FIRST = BENCHMARKS[0];

export function ClusterPage() {
  const { id: text } = route.useParams();
  const id = Number(text);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: cluster, error, refetch } = useQuery(clusterQuery(id));
  useTitle(cluster?.name ?? t.overview);
  const change = (part: ClusterSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const isOpen = search.control ?? search.workload ?? search.recommendation;
  const open = (part: ClusterSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: isOpen !== undefined, resetScroll: false });
  const close = () => open({ control: undefined, workload: undefined, recommendation: undefined });
  useHotkeys({ Escape: () => void navigate({ to: "/clusters", search: {} }) }, isOpen === undefined);

  if (error !== null) {
    return (
      <div className="page">
        <Back />
        <ErrorState error={error} retry={() => void refetch()} />
      </div>
    );
  }
  const tab = (name: string, to: ClusterSearch["tab"], number?: number | null) => (
    <Link
      to="/clusters/$id"
      params={{ id: text }}
      search={{ tab: to }}
      className={search.tab === to ? "tab is-current" : "tab"}
      aria-current={search.tab === to ? "page" : undefined}
      resetScroll={false}
    >
      {name} {number != null && <span className="tab-count">{count(number)}</span>}
    </Link>
  );
  return (
    <div className={isOpen === undefined ? "page" : "page has-pane"}>
      <Back />
      {cluster === undefined ? <Skeleton rows={4} /> : <Header cluster={cluster} />}
      <nav className="tabs" aria-label={t.tabs}>
        {tab(t.overview, undefined)}
        {tab(t.controls, "controls")}
        {tab(t.workloads, "workloads", cluster?.workloads)}
        {tab(t.history, "history")}
      </nav>
      {search.tab === "history" ? (
        <Changes
          query={clusterHistoryQuery(id)}
          link={({ benchmark, control, title }) => (
            <Link
              to="/clusters/$id"
              params={{ id: text }}
              search={{ tab: "controls", benchmark: BENCHMARKS.find((one) => one === benchmark), control }}
              data-row-link=""
              title={title}
            >
              {benchmark} {control} {title}
            </Link>
          )}
        />
      ) : search.tab === "workloads" ? (
        <Workloads id={id} search={search} change={change} open={(workload) => open({ workload })} />
      ) : search.tab === "controls" ? (
        <ControlsOf cluster={cluster} id={id} search={search} change={change} open={open} close={close} />
      ) : (
        <Overview cluster={cluster} search={search} open={(recommendation) => open({ recommendation })} />
      )}
      {search.workload !== undefined && <WorkloadPane cluster={id} workload={search.workload} onClose={close} />}
      {search.recommendation !== undefined && <RecommendationPane cluster={id} recommendation={search.recommendation} onClose={close} />}
    </div>
  );
}

interface ControlsProps {
  cluster: ClusterDetail | undefined;
  id: number;
  search: ClusterSearch;
  change: (part: ClusterSearch) => void;
  open: (part: ClusterSearch) => void;
  close: () => void;
}

/** The controls of one benchmark, as those of a host. */
function ControlsOf({ cluster, id, search, change, open, close }: ControlsProps) {
  const benchmark = search.benchmark ?? FIRST;
  const report = useQuery(clusterReportQuery(id, benchmark));
  const control = report.data?.controls.find((one) => one.id === search.control);
  const said = cluster?.benchmarks.find((one) => one.id === benchmark);
  const shared: HostSearch = { q: search.q, status: search.status, level: search.level, control: search.control };
  return (
    <>
      <div className="filter-bar">
        <Choice
          label={t.benchmark}
          value={benchmark}
          options={BENCHMARKS.map((one) => {
            const known = cluster?.benchmarks.find((edition) => edition.id === one);
            return [one, known === undefined ? one : `${known.title} ${known.version}`] as const;
          })}
          onChange={(one) => change({ benchmark: one === FIRST ? undefined : one, control: undefined })}
        />
        {said?.left_out != null && (
          <p className="muted">
            {t.leftOut}: {said.left_out}
          </p>
        )}
      </div>
      {report.isError ? (
        <ErrorState error={report.error} retry={() => void report.refetch()} />
      ) : report.data === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <Controls
          report={report.data}
          reason={cluster?.watch.reason ?? undefined}
          search={shared}
          change={({ tab: _, severity: __, ...part }) => change(part)}
          open={(one) => open({ control: one })}
        />
      )}
      {control !== undefined && cluster !== undefined && <ControlPane host={cluster} control={control} onClose={close} />}
    </>
  );
}

function Header({ cluster }: { cluster: ClusterDetail }) {
  const { watch } = cluster;
  const warning = watch.state === "unreachable" ? t.unreachable : watch.state === "partial" ? t.partial : watch.state === "reading" ? t.reading : undefined;
  return (
    <header className="image-header">
      <div className="image-title">
        <h1>{cluster.name}</h1>
        <ControlStatus status={cluster.state} />
        <SeverityCounts counts={cluster.failed} />
      </div>
      {warning !== undefined && (
        <div className="banner is-warning">
          <Icon name="warning" />
          <div>
            <p>
              <strong>{watchName(watch.state)}.</strong> {warning}
            </p>
            {watch.reason != null && <p>{watch.reason}</p>}
            {watch.since != null && (
              <p>
                {t.since} <Time at={watch.since} />
              </p>
            )}
          </div>
        </div>
      )}
      <dl className="facts">
        <Fact name={t.version}>{cluster.version ?? "?"}</Fact>
        {cluster.provider != null && <Fact name={t.provider}>{cluster.provider}</Fact>}
        <Fact name={t.nodes}>{cluster.nodes == null ? "?" : count(cluster.nodes)}</Fact>
        <Fact name={t.namespaces}>{cluster.namespaces == null ? "?" : count(cluster.namespaces)}</Fact>
        <Fact name={imageUseStrings.images.title}>
          <Link to="/asset/$id" params={{ id: String(cluster.id) }} search={{ tab: "images" }} title={imageUseStrings.images.hint}>
            {imageUseStrings.images.look}
          </Link>
        </Fact>
        {cluster.endpoint != null && <Fact name={t.endpoint}>{cluster.endpoint}</Fact>}
        <CloudSide cluster={cluster} />
        <Fact name={t.watched}>{watch.by === "server" ? t.watchers.server : t.watchers.sensor}</Fact>
        <Fact name={t.seen}>
          <Time at={cluster.last_seen} />
        </Fact>
        <Audited cluster={cluster} />
      </dl>
    </header>
  );
}

/** Whether its audit events raise alerts, and how many of these somebody has to deal with. */
function Audited({ cluster: { audit = [] } }: { cluster: ClusterDetail }) {
  if (audit.length === 0) {
    return (
      <Fact name={t.alerts}>
        <Link to="/audit">{t.notAudited}</Link>
      </Fact>
    );
  }
  return audit.map(({ name, on_since: onSince, problem, open_alerts: open }) => {
    const all = Object.values(open).reduce((sum, one) => sum + one, 0);
    return (
      <Fact key={name} name={t.alerts}>
        <Link to="/alerts" search={{ cluster: name }}>
          {t.openAlerts(all, open.high ?? 0)}
        </Link>{" "}
        {onSince == null && (
          <Link to="/audit" className="tag is-warning">
            {t.auditOff}
          </Link>
        )}
        {problem != null && <span className="warning-text">{problem}</span>}
      </Fact>
    );
  });
}

function Back() {
  return (
    <Link to="/clusters" className="back" search={{}}>
      <Icon name="back" />
      {t.back}
    </Link>
  );
}
