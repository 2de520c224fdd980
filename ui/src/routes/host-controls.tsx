// The controls of a host, filtered by what the address says.

import type { PostureReport, ReportControl } from "../api/types";
import { ControlStatus, statusName } from "../components/control-status";
import { type Column, DataTable } from "../components/data-table";
import { Choice, TextFilter } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { SeverityLabel } from "../components/severity";
import { type ActiveFilter, Empty, FilteredEmpty } from "../components/states";
import { hostStrings } from "../host-strings";
import { toggled } from "../lib/address";
import { gravestFirst } from "../lib/controls";
import { count } from "../lib/format";
import { CONTROL_STATUSES, type HostSearch } from "../lib/host-filters";
import { asSeverity } from "../lib/severity";
import { strings } from "../strings";

const t = hostStrings.host;

interface Props {
  report: PostureReport;
  reason: string | undefined;
  search: HostSearch;
  change: (part: HostSearch) => void;
  open: (control: string) => void;
}

export function Controls({ report, reason, search, change, open }: Props) {
  const wanted = search.status?.split(",") ?? [];
  const others = gravestFirst(report.controls).filter((control) => fits(control, { ...search, status: undefined }));
  const shown = others.filter(({ status }) => wanted.length === 0 || wanted.includes(status));
  const active = activeFilters(search, change);
  if (report.controls.length === 0) {
    return <Empty title={t.noControls}>{reason !== undefined && <p>{reason}</p>}</Empty>;
  }
  return (
    <>
      {report.gaps.length > 0 && (
        <details className="banner is-warning unread">
          <summary>
            <Icon name="warning" />
            {t.gaps(report.gaps.length)}
          </summary>
          <p>{t.gapsLead}</p>
          <ul>
            {report.gaps.map(({ kind, detail, source }) => (
              <li key={kind}>
                <code>{kind}</code> {detail} <span className="muted">({source})</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <Choice
          label={t.level}
          value={search.level ?? "any"}
          options={[
            ["any", t.levels.any],
            ["1", t.levels["1"]],
            ["2", t.levels["2"]],
          ]}
          onChange={(level) => change({ level: level === "any" ? undefined : level })}
        />
        <span className="muted">{report.benchmarks.map(({ title, version }) => `${title} ${version}`).join(", ")}</span>
        <span className="filter-count" role="status">
          {t.shown(shown.length, report.controls.length)}
        </span>
      </div>
      <div className="facets">
        <div className="facet-group" role="group" aria-label={t.status}>
          <span className="facet-name" aria-hidden="true">
            {t.status}
          </span>
          {CONTROL_STATUSES.map((status) => [status, others.filter((control) => control.status === status).length] as const)
            .filter(([status, number]) => number > 0 || wanted.includes(status))
            .map(([status, number]) => (
              <button
                key={status}
                type="button"
                className="chip"
                aria-pressed={wanted.includes(status)}
                onClick={() => change({ status: toggled(CONTROL_STATUSES, search.status, status) })}
              >
                {statusName(status)}
                <span className="chip-count">{count(number)}</span>
              </button>
            ))}
        </div>
      </div>
      {shown.length === 0 ? (
        <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ q: undefined, status: undefined, level: undefined })} />
      ) : (
        <DataTable
          label={t.controls}
          columns={columns(open)}
          rows={shown}
          rowKey={({ id }) => id}
          rowHeight={3.25}
          total={shown.length}
          onOpen={({ id }) => open(id)}
          openKey={search.control}
        />
      )}
    </>
  );
}

function fits(control: ReportControl, { q, level }: HostSearch): boolean {
  if (level !== undefined && String(control.level) !== level) return false;
  if (q === undefined) return true;
  const text = [control.id, control.title, control.section, control.check ?? "", ...control.objects.map(({ name }) => name)];
  return text.some((part) => part.toLowerCase().includes(q.toLowerCase()));
}

function activeFilters(search: HostSearch, change: (part: HostSearch) => void): ActiveFilter[] {
  const active: ActiveFilter[] = [];
  if (search.level !== undefined) active.push({ label: `${t.level} ${search.level}`, drop: () => change({ level: undefined }) });
  if (search.status !== undefined) {
    const names = search.status.split(",").map(statusName).join(", ");
    active.push({ label: names, drop: () => change({ status: undefined }) });
  }
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return active;
}

const columns = (open: (control: string) => void): Column<ReportControl>[] => [
  {
    id: "title",
    header: t.columns.title,
    cell: ({ id, title, section }) => (
      <span className="two-lines">
        <button type="button" className="link-button" data-row-link="" title={title} onClick={() => open(id)}>
          {id} {title}
        </button>
        <span className="muted">{section}</span>
      </span>
    ),
  },
  { id: "level", header: t.level, width: "4.5rem", align: "end", isMinor: true, cell: ({ level }) => level },
  {
    id: "severity",
    header: t.columns.severity,
    width: "7rem",
    cell: ({ severity }) => (severity == null ? <span className="muted">–</span> : <SeverityLabel severity={asSeverity(severity)} />),
  },
  { id: "status", header: t.columns.status, width: "9.5rem", cell: ({ status }) => <ControlStatus status={status} /> },
  {
    id: "objects",
    header: t.columns.objects,
    width: "6.5rem",
    align: "end",
    isMinor: true,
    cell: ({ objects, unlisted = 0 }) => {
      const failed = objects.filter(({ status }) => status === "fail").length;
      const all = count(objects.length + unlisted);
      return failed === 0 || unlisted > 0 ? all : `${count(failed)} / ${all}`;
    },
  },
];
