// One host: what it is, its controls, its containers, and how they changed; one control or container in the pane.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, done } from "../api/client";
import { hostQuery, hostReportQuery } from "../api/host-queries";
import { keys } from "../api/queries";
import type { HostDetail } from "../api/types";
import { Fact, Time, useTitle } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { Icon } from "../components/icon";
import { Removal } from "../components/removal";
import { SeverityCounts } from "../components/severity";
import { ErrorState, Skeleton } from "../components/states";
import { hostStrings } from "../host-strings";
import { imageUseStrings } from "../image-use-strings";
import { count } from "../lib/format";
import type { HostSearch } from "../lib/host-filters";
import { useHotkeys } from "../lib/hotkeys";
import { useMay } from "../lib/role";
import { ContainerPane, Containers } from "./host-containers";
import { ControlPane } from "./host-control";
import { Controls } from "./host-controls";
import { History } from "./host-history";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/hosts/$id");
const t = hostStrings.host;
const KINDS: Readonly<Record<string, string>> = t.kinds;

export function HostPage() {
  const { id: text } = route.useParams();
  const id = Number(text);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: host, error, refetch } = useQuery(hostQuery(id));
  const report = useQuery(hostReportQuery(id));
  useTitle(host?.name ?? t.controls);
  const change = (part: HostSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const control = report.data?.controls.find((one) => one.id === search.control);
  const container = host?.container_list.find((one) => one.id === search.container);
  // An address may name what is no more.
  const isOpen = host !== undefined && (control ?? container) !== undefined;
  const open = (part: Pick<HostSearch, "control" | "container">) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: isOpen, resetScroll: false });
  const close = () => open({ control: undefined, container: undefined });
  useHotkeys({ Escape: () => void navigate({ to: "/hosts", search: {} }) }, !isOpen);

  if (error !== null) {
    return (
      <div className="page">
        <Back />
        <ErrorState error={error} retry={() => void refetch()} />
      </div>
    );
  }
  return (
    <div className={isOpen ? "page has-pane" : "page"}>
      <Back />
      {host === undefined ? (
        <Skeleton rows={4} />
      ) : (
        <Header host={host} onForgotten={() => void navigate({ to: "/hosts", search: {} })} />
      )}
      <nav className="tabs" aria-label={t.tabs}>
        <Tab id={text} tab={undefined} current={search.tab} name={t.controls} number={report.data?.controls.length} />
        <Tab id={text} tab="containers" current={search.tab} name={t.containers} number={host?.containers == null ? undefined : host.container_list.length} />
        <Tab id={text} tab="history" current={search.tab} name={t.history} number={undefined} />
      </nav>
      {search.tab === "history" ? (
        <History id={id} />
      ) : search.tab === "containers" ? (
        <Containers
          containers={host?.container_list}
          isKnown={host?.containers != null}
          isJudged={host?.kind === "unmanaged" && host.judged_at != null}
          shown={search.container}
          open={(id) => open({ container: id })}
        />
      ) : report.isError ? (
        <ErrorState error={report.error} retry={() => void report.refetch()} />
      ) : report.data === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <Controls report={report.data} reason={host?.reason ?? undefined} search={search} change={change} open={(id) => open({ control: id })} />
      )}
      {host === undefined ? null : control !== undefined ? (
        <ControlPane host={host} control={control} onClose={close} />
      ) : (
        container !== undefined && <ContainerPane host={host} container={container} report={report} onClose={close} />
      )}
    </div>
  );
}

function Tab({ id, tab, current, name, number }: { id: string; tab: HostSearch["tab"]; current: HostSearch["tab"]; name: string; number: number | undefined }) {
  const isCurrent = tab === current;
  return (
    <Link
      to="/hosts/$id"
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

interface HeaderProps {
  host: HostDetail;
  onForgotten: () => void;
}

function Header({ host, onForgotten }: HeaderProps) {
  const mayForget = useMay("operator");
  const [doomed, setDoomed] = useState<HostDetail>();
  return (
    <header className="image-header">
      <div className="image-title">
        <h1>{host.name}</h1>
        <ControlStatus status={host.state} />
        <SeverityCounts counts={host.failed} />
        {mayForget && (
          <button type="button" className="button is-small host-forget" onClick={() => setDoomed(host)}>
            {t.forget}
          </button>
        )}
      </div>
      {host.reason != null && <p className="image-names">{host.reason}</p>}
      <dl className="facts">
        <Fact name={t.kind}>{KINDS[host.kind] ?? host.kind}</Fact>
        {host.engines.map(({ product, version, endpoint, rootless }) => (
          <Fact key={endpoint} name={t.engine}>
            <span title={endpoint}>
              {product === "docker" ? "Docker" : product === "podman" ? "Podman" : product} {version} {rootless && `(${t.rootless})`}
            </span>
          </Fact>
        ))}
        <Fact name={t.images}>
          <Link to="/asset/$id" params={{ id: String(host.id) }} search={{ tab: "images" }} title={imageUseStrings.images.hint}>
            {host.images == null ? "?" : count(host.images)}
          </Link>
        </Fact>
        <Fact name={t.containers}>{host.containers == null ? "?" : t.ofThemRun(count(host.running ?? 0), count(host.containers))}</Fact>
        {host.os != null && <Fact name={t.os}>{host.os}</Fact>}
        {host.kernel != null && (
          <Fact name={t.kernel}>
            {host.kernel} {host.architecture}
          </Fact>
        )}
        <Fact name={t.seen}>
          <Time at={host.last_seen} />
        </Fact>
        {host.recommendations.map(({ id, title, health }) => (
          <Fact key={id} name={t.healthOf}>
            <Link to="/recommendations/$id" params={{ id }} search={{}}>
              {title}
            </Link>{" "}
            <ControlStatus status={health} />
          </Fact>
        ))}
      </dl>
      <Removal
        item={doomed}
        title={t.forgetTitle}
        text={({ name }) => t.forgetText(name)}
        verb={t.forget}
        remove={async ({ id }) => {
          await done(api.DELETE("/api/v1/hosts/{id}", { params: { path: { id } } }));
          onForgotten();
        }}
        told={t.forgotten}
        stale={keys.posture}
        onClose={() => setDoomed(undefined)}
      />
    </header>
  );
}

function Back() {
  return (
    <Link to="/hosts" className="back" search={{}}>
      <Icon name="back" />
      {t.back}
    </Link>
  );
}
