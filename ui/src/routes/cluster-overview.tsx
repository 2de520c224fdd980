// What recommendations and benchmarks say of a cluster, and its nodes.

import { Link } from "@tanstack/react-router";

import type { ClusterDetail, ClusterNode, HostRecommendation } from "../api/types";
import { clusterStrings } from "../cluster-strings";
import { Time } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { type Column, DataTable } from "../components/data-table";
import { SeverityLabel } from "../components/severity";
import { Empty, Skeleton } from "../components/states";
import { BENCHMARKS, type ClusterSearch } from "../lib/cluster-filters";
import { asSeverity } from "../lib/severity";

const t = clusterStrings.cluster;
const ORDER = ["unhealthy", "unknown", "healthy", "not_applicable"];

interface Props {
  cluster: ClusterDetail | undefined;
  search: ClusterSearch;
  open: (recommendation: string) => void;
}

export function Overview({ cluster, search, open }: Props) {
  if (cluster === undefined) return <Skeleton rows={8} />;
  const said = [...cluster.recommendations].sort(
    (a, b) => ORDER.indexOf(a.health) - ORDER.indexOf(b.health) || rank(b) - rank(a) || a.title.localeCompare(b.title),
  );
  return (
    <>
      {cluster.benchmarks.length > 0 && (
        <section className="section">
          <h2>{t.benchmarks}</h2>
          <dl className="facts">
            {cluster.benchmarks.map(({ id, version, title, counts, left_out }) => (
              <div key={id} className="fact">
                <dt>
                  {title} {version}
                </dt>
                <dd>
                  {left_out != null ? (
                    <span className="muted">
                      {t.leftOut}: {left_out}
                    </span>
                  ) : (
                    <Link to="/clusters/$id" params={{ id: String(cluster.id) }} search={{ tab: "controls", benchmark: BENCHMARKS.find((one) => one === id), status: "fail" }}>
                      {t.failedOf(counts.fail, Object.values(counts).reduce((sum, one) => sum + one, 0))}
                    </Link>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      <section className="section">
        <h2>{t.recommendations}</h2>
        {said.length === 0 ? (
          <Empty title={t.noRecommendations} />
        ) : (
          <DataTable
            label={t.recommendations}
            columns={recommendationColumns(open)}
            rows={said}
            rowKey={({ id }) => id}
            rowHeight={3.25}
            total={said.length}
            onOpen={({ id }) => open(id)}
            openKey={search.recommendation}
          />
        )}
      </section>
      <section className="section">
        <h2>{t.nodes}</h2>
        {cluster.node_list.length === 0 ? (
          <Empty title={t.noNodes} />
        ) : (
          <DataTable label={t.nodes} columns={NODES} rows={cluster.node_list} rowKey={({ name }) => name} rowHeight={3.25} total={cluster.node_list.length} />
        )}
      </section>
    </>
  );
}

function rank({ severity }: HostRecommendation): number {
  return ["low", "medium", "high", "critical"].indexOf(severity);
}

const recommendationColumns = (open: (id: string) => void): Column<HostRecommendation>[] => [
  {
    id: "title",
    header: t.recommendationColumns.title,
    cell: ({ id, title, reason }) => (
      <span className="two-lines">
        <button type="button" className="link-button" data-row-link="" title={title} onClick={() => open(id)}>
          {title}
        </button>
        <span className="muted" title={reason ?? undefined}>
          {reason}
        </span>
      </span>
    ),
  },
  { id: "severity", header: t.recommendationColumns.severity, width: "7rem", cell: ({ severity }) => <SeverityLabel severity={asSeverity(severity)} /> },
  { id: "health", header: t.recommendationColumns.health, width: "9.5rem", cell: ({ health }) => <ControlStatus status={health} /> },
  { id: "since", header: t.recommendationColumns.since, width: "7.5rem", isMinor: true, cell: ({ since }) => <Time at={since} /> },
];

const NODES: Column<ClusterNode>[] = [
  {
    id: "name",
    header: t.nodeColumns.name,
    cell: ({ name, ready, roles }) => (
      <span className="two-lines">
        <strong tabIndex={-1} data-row-link="" title={name}>
          {name}
        </strong>
        <span className="muted">{[ready == null ? undefined : ready ? t.ready : t.notReady, ...roles].filter((one) => one !== undefined).join(", ")}</span>
      </span>
    ),
  },
  { id: "version", header: t.nodeColumns.version, width: "9rem", cell: ({ version }) => version ?? "?" },
  { id: "os", header: t.nodeColumns.os, width: "13rem", isMinor: true, cell: ({ os_image }) => os_image ?? "?" },
  { id: "runtime", header: t.nodeColumns.runtime, width: "11rem", isMinor: true, cell: ({ runtime }) => runtime ?? "?" },
  {
    id: "sensor",
    header: t.nodeColumns.sensor,
    width: "7rem",
    cell: ({ host }) =>
      host == null ? (
        <span className="muted">{t.noSensor}</span>
      ) : (
        <Link to="/hosts/$id" params={{ id: String(host) }} search={{}}>
          {t.hasSensor}
        </Link>
      ),
  },
];
