// The containers of a host, with the settings that matter; one of them in the pane, with all of these.

import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import type { HostContainer, HostDetail, PostureReport, ReportControl, ReportObject } from "../api/types";
import { Fact } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { Pane } from "../components/pane";
import { SeverityLabel } from "../components/severity";
import { Empty, ErrorState, Skeleton } from "../components/states";
import { hostStrings } from "../host-strings";
import { ofContainer } from "../lib/controls";
import { bytes, count } from "../lib/format";
import { asSeverity } from "../lib/severity";

const t = hostStrings.host;
const words = t.settings;

interface Props {
  containers: HostContainer[] | undefined;
  /** Whether they could be asked for: none is not the same as none seen. */
  isKnown: boolean;
  /** Whether benchmarks are about the host. */
  isJudged: boolean;
  /** The id of the one in the pane. */
  shown: string | undefined;
  open: (container: string) => void;
}

export function Containers({ containers, isKnown, isJudged, shown, open }: Props) {
  if (containers === undefined) return <Skeleton rows={8} />;
  if (containers.length === 0) return <Empty title={isKnown ? t.noContainers : t.containersUnknown} />;
  return (
    <DataTable
      label={t.containers}
      columns={columns(open, isJudged)}
      rows={containers}
      rowKey={({ id }) => id}
      rowHeight={4}
      total={containers.length}
      onOpen={({ id }) => open(id)}
      openKey={shown}
    />
  );
}

/** What a person looking for trouble wants to know: first what keeps the container from the host less than usual. */
function settings(container: HostContainer): { text: string; isGrave: boolean }[] {
  const grave: [boolean, string][] = [
    [container.privileged, words.privileged],
    [container.network === "host", words.network(container.network)],
    [container.pid_mode === "host", words.pid],
    [container.ipc_mode === "host", words.ipc],
    [container.uts_mode === "host", words.uts],
    [container.userns_mode === "host", words.userns],
    [container.seccomp === "unconfined", words.seccomp],
  ];
  const other: [boolean, string][] = [
    [container.memory_bytes === 0, words.noMemory],
    [container.pids_limit == null, words.noPids],
    [container.restart !== "" && container.restart !== "no", words.restart(container.restart)],
    [container.read_only, words.readOnly],
  ];
  const said = (from: [boolean, string][]) => from.filter(([is]) => is).map(([, text]) => text);
  return [
    ...[...said(grave), ...container.capabilities.map((name) => `+${name}`), ...container.devices].map((text) => ({ text, isGrave: true })),
    ...[...said(other), ...container.ports].map((text) => ({ text, isGrave: false })),
  ];
}

function runsAs({ user, is_root }: HostContainer): string {
  return user !== "" ? user : is_root === true ? "root" : "";
}

const columns = (open: Props["open"], isJudged: boolean): Column<HostContainer>[] => [
  {
    id: "name",
    header: t.containerColumns.name,
    width: "13rem",
    cell: ({ id, name, state }) => (
      <span className="two-lines">
        <button type="button" className="link-button" data-row-link="" title={name} onClick={() => open(id)}>
          {name}
        </button>
        <span className="muted">{state}</span>
      </span>
    ),
  },
  {
    id: "image",
    header: t.containerColumns.image,
    width: "13rem",
    cell: (container) => (
      <span className="two-lines">
        <span className="is-mono" title={container.image}>
          {container.image}
        </span>
        <span className="muted">{runsAs(container)}</span>
      </span>
    ),
  },
  {
    id: "settings",
    header: t.containerColumns.settings,
    cell: (container) => (
      <span className="container-settings">
        {settings(container).map(({ text, isGrave }) => (
          <span key={text} className={isGrave ? "tag is-warning" : "tag"}>
            {text}
          </span>
        ))}
      </span>
    ),
  },
  {
    id: "mounts",
    header: t.containerColumns.mounts,
    width: "14rem",
    isMinor: true,
    cell: ({ mounts }) => (
      <span className="host-engine is-mono" title={mounts.join("\n")}>
        {mounts.join(", ")}
      </span>
    ),
  },
  {
    id: "failed",
    header: t.containerColumns.failed,
    width: "7.75rem",
    align: "end",
    cell: ({ failed }) => (isJudged ? count(failed) : <span className="muted">{t.notJudged}</span>),
  },
];

interface PaneProps {
  host: HostDetail;
  container: HostContainer;
  report: UseQueryResult<PostureReport>;
  onClose: () => void;
}

/** One container: which controls it fails, and all its settings. */
export function ContainerPane({ host, container, report, onClose }: PaneProps) {
  return (
    <Pane label={`${t.container} ${container.name}`} title={container.name} of={container.id} onClose={onClose}>
      <ContainerControls host={host} container={container.id} report={report} />
      <section>
        <h3>{t.containerColumns.settings}</h3>
        <dl className="facts is-column">
          {all(container).map(([name, values]) => (
            <Fact key={name} name={name}>
              {values.length === 0 ? (
                <span className="muted">{words.none}</span>
              ) : (
                values.map((value) => (
                  <span key={value} className="container-value">
                    {value}
                  </span>
                ))
              )}
            </Fact>
          ))}
        </dl>
      </section>
    </Pane>
  );
}

/** Which controls it fails, and of which nobody can tell. Where nothing was judged, nothing has passed. */
function ContainerControls({ host, container, report }: Pick<PaneProps, "host" | "report"> & { container: string }) {
  const controls = report.data?.controls ?? [];
  const failed = ofContainer(controls, container, ["fail"]);
  const untold = ofContainer(controls, container, ["not_collected", "error"]);
  return (
    <>
      <section>
        <h3>{t.failedControls}</h3>
        {report.isLoadingError ? (
          <ErrorState error={report.error} retry={() => void report.refetch()} />
        ) : report.data === undefined ? (
          <Skeleton rows={3} />
        ) : controls.length === 0 ? (
          <>
            <p className="muted">{t.notJudged}</p>
            {host.reason != null && <p>{host.reason}</p>}
          </>
        ) : failed.length === 0 ? (
          <p className="muted">{t.noneFailed}</p>
        ) : (
          failed.map((one) => <ContainerControl key={one.control.id} host={host.id} {...one} />)
        )}
      </section>
      {untold.length > 0 && (
        <section>
          <h3>{t.untoldControls}</h3>
          {untold.map((one) => (
            <ContainerControl key={one.control.id} host={host.id} {...one} />
          ))}
        </section>
      )}
    </>
  );
}

function ContainerControl({ host, control, objects }: { host: number; control: ReportControl; objects: ReportObject[] }) {
  const { id, title, severity } = control;
  return (
    <div className="control-object">
      <div className="control-object-name">
        <Link to="/hosts/$id" params={{ id: String(host) }} search={{ control: id }}>
          {id} {title}
        </Link>
        {severity != null && <SeverityLabel severity={asSeverity(severity)} />}
      </div>
      {[...new Set(objects.flatMap(({ messages, reason }) => (reason == null ? messages : [...messages, reason])))].map((said) => (
        <p key={said}>{said}</p>
      ))}
    </div>
  );
}

function all(container: HostContainer): [string, string[]][] {
  const names = t.settingNames;
  const text = (value: string) => (value === "" ? [] : [value]);
  const yes = (value: boolean | null | undefined) => (value == null ? ["?"] : [value ? words.yes : words.no]);
  return [
    [names.state, text(container.state)],
    [names.image, text(container.image)],
    [names.engine, text(container.engine)],
    [names.user, text(runsAs(container))],
    [names.privileged, yes(container.privileged)],
    [names.added, container.capabilities],
    [names.dropped, container.dropped],
    [names.noNewPrivileges, yes(container.no_new_privileges)],
    [names.seccomp, text(container.seccomp)],
    [names.apparmor, text(container.apparmor)],
    [names.readOnly, yes(container.read_only)],
    [names.network, text(container.network)],
    [names.ports, container.ports],
    [names.pid, [container.pid_mode || words.own]],
    [names.ipc, [container.ipc_mode || words.own]],
    [names.uts, [container.uts_mode || words.own]],
    [names.userns, [container.userns_mode || words.engines]],
    [names.mounts, container.mounts],
    [names.devices, container.devices],
    [names.memory, container.memory_bytes === 0 ? [] : [bytes(container.memory_bytes)]],
    [names.processors, text(container.processors)],
    [names.pids, container.pids_limit == null ? [] : [count(container.pids_limit)]],
    [names.restart, text(container.restart)],
    [names.health, text(container.health)],
  ];
}
