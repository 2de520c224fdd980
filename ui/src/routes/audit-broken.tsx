// What came of a cluster and could not be read as an event, or not in full: which sorts, how many, when last.

import { alertStrings } from "../alert-strings";
import type { AuditCluster } from "../api/types";
import { Time } from "../components/bits";
import { count } from "../lib/format";

const t = alertStrings.audit;

export function Broken({ cluster: { name, broken, broken_events: all } }: { cluster: AuditCluster }) {
  if (broken.length === 0) return null;
  const rows = [...broken].sort((a, b) => b.events - a.events);
  return (
    <details>
      <summary>{t.brokenSummary(all)}</summary>
      <div className="table-scroll">
        <table className="small-table" aria-label={t.brokenOf(name)}>
          <thead>
            <tr>
              <th scope="col">{t.brokenColumns.what}</th>
              <th scope="col" className="is-end">
                {t.brokenColumns.events}
              </th>
              <th scope="col">{t.brokenColumns.last}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ kind, events, last }) => (
              <tr key={kind}>
                <td>{t.brokenKinds[kind] ?? kind}</td>
                <td className="is-end">{count(events)}</td>
                <td className="nowrap">
                  <Time at={last} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
