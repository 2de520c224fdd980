// All hosts, filtered and sorted by what the address says.

import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { hostsQuery } from "../api/host-queries";
import type { HostSummary } from "../api/types";
import { AssessedList, Counted, failedColumn, seenColumn, SortHead, stateColumn } from "../components/assessed-list";
import { useTitle } from "../components/bits";
import type { Column } from "../components/data-table";
import { Choice } from "../components/filter-bar";
import type { ActiveFilter } from "../components/states";
import { hostStrings } from "../host-strings";
import type { HostsSearch } from "../lib/host-filters";
import { JoinCommand } from "./hosts-join";
import "./hosts.css";

const route = getRouteApi("/app/hosts");
const t = hostStrings.hosts;

export function HostsPage() {
  useTitle(t.title);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(hostsQuery(search));
  const hosts = query.data?.pages.flatMap((page) => page.hosts) ?? [];
  const change = (part: HostsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const active: ActiveFilter[] =
    search.engine === undefined ? [] : [{ label: t.engines[search.engine], drop: () => change({ engine: undefined }) }];
  return (
    <AssessedList
      words={t}
      action={<JoinCommand />}
      search={search}
      change={change}
      query={query}
      rows={hosts}
      columns={columns(search)}
      onOpen={({ id }) => void navigate({ to: "/hosts/$id", params: { id: String(id) }, search: {} })}
      filters={
        <Choice
          label={t.engine}
          value={search.engine ?? "any"}
          options={[
            ["any", t.any],
            ["docker", t.engines.docker],
            ["podman", t.engines.podman],
          ]}
          onChange={(value) => change({ engine: value === "any" ? undefined : value })}
        />
      }
      active={active}
      clear={() => change({ q: undefined, status: undefined, engine: undefined })}
    />
  );
}

function columns(search: HostsSearch): Column<HostSummary>[] {
  return [
    {
      id: "host",
      header: <SortHead to="/hosts" search={search} by="name" name={t.columns.host} />,
      sort: search.sort === "name" ? "ascending" : undefined,
      cell: ({ id, name, machine_id }) => (
        <span className="two-lines">
          <Link to="/hosts/$id" params={{ id: String(id) }} search={{}} data-row-link="" title={name}>
            {name}
          </Link>
          <span className="muted is-mono" title={machine_id}>
            {machine_id}
          </span>
        </span>
      ),
    },
    {
      id: "engines",
      header: t.columns.engines,
      width: "11rem",
      cell: ({ engines }) =>
        engines.length === 0 ? (
          <span className="muted">{t.noEngine}</span>
        ) : (
          engines.map(({ product, version, endpoint }) => (
            <span key={endpoint} className="host-engine" title={endpoint}>
              {product === "docker" || product === "podman" ? t.engines[product] : product} {version}
            </span>
          ))
        ),
    },
    failedColumn(<SortHead to="/hosts" search={search} by="severity" name={t.columns.failed} />, search),
    stateColumn(t.columns.state),
    { id: "containers", header: t.columns.containers, width: "6.5rem", align: "end", isMinor: true, cell: ({ containers }) => <Counted value={containers} /> },
    { id: "images", header: t.columns.images, width: "5rem", align: "end", isMinor: true, cell: ({ images }) => <Counted value={images} /> },
    seenColumn(t.columns.seen),
  ];
}
