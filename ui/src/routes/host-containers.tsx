// The containers of a host, with the settings that matter.

import type { HostContainer } from "../api/types";
import { type Column, DataTable } from "../components/data-table";
import { Empty, Skeleton } from "../components/states";
import { hostStrings } from "../host-strings";
import { count } from "../lib/format";

const t = hostStrings.host;

export function Containers({ containers }: { containers: HostContainer[] | undefined }) {
  if (containers === undefined) return <Skeleton rows={8} />;
  if (containers.length === 0) return <Empty title={t.noContainers} />;
  return <DataTable label={t.containers} columns={COLUMNS} rows={containers} rowKey={({ engine, id }) => `${engine} ${id}`} rowHeight={4} total={containers.length} />;
}

/** What a person looking for trouble wants to know. */
function settings(container: HostContainer): string[] {
  const words = t.settings;
  const said: [boolean, string][] = [
    [container.privileged, words.privileged],
    [container.network === "host", words.network(container.network)],
    [container.pid_mode === "host", words.pid],
    [container.ipc_mode === "host", words.ipc],
    [container.seccomp === "unconfined", words.seccomp],
    [container.memory_bytes === 0, words.noMemory],
    [container.pids_limit == null, words.noPids],
    [container.restart !== "" && container.restart !== "no", words.restart(container.restart)],
    [container.read_only, words.readOnly],
  ];
  return [...said.filter(([is]) => is).map(([, text]) => text), ...container.capabilities.map((name) => `+${name}`), ...container.ports];
}

const COLUMNS: Column<HostContainer>[] = [
  {
    id: "name",
    header: t.containerColumns.name,
    width: "13rem",
    cell: ({ name, state }) => (
      <span className="two-lines">
        <strong tabIndex={-1} data-row-link="" title={name}>
          {name}
        </strong>
        <span className="muted">{state}</span>
      </span>
    ),
  },
  {
    id: "image",
    header: t.containerColumns.image,
    width: "13rem",
    cell: ({ image, user, is_root }) => (
      <span className="two-lines">
        <span className="is-mono" title={image}>
          {image}
        </span>
        <span className="muted">{user !== "" ? user : is_root === true ? "root" : ""}</span>
      </span>
    ),
  },
  {
    id: "settings",
    header: t.containerColumns.settings,
    cell: (container) => (
      <span className="container-settings">
        {settings(container).map((text) => (
          <span key={text} className="tag">
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
  { id: "failed", header: t.containerColumns.failed, width: "7rem", align: "end", cell: ({ failed }) => count(failed) },
];
