// Which detections see what they need in what arrives, and which are blind.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { alertStrings } from "../alert-strings";
import { auditCoverageQuery } from "../api/alert-queries";
import { ErrorState } from "../components/states";

const t = alertStrings.audit;
/** What needs somebody comes first. */
const ORDER = ["blind", "partial", "unknown", "sees"];

export function Coverage({ name }: { name: string }) {
  const { data: coverage, error, refetch } = useQuery(auditCoverageQuery(name));
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (coverage === undefined) return null;
  const of = (status: string) => coverage.detections.filter((one) => one.status === status).length;
  const rows = [...coverage.detections].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  return (
    <details>
      <summary>
        {t.coverage}: {coverage.events === 0 && coverage.has_policy !== true ? t.coverageNone : t.coverageCounts(of("sees"), of("blind") + of("partial"), of("unknown"))}
      </summary>
      <p className="muted">{t.coverageLead}</p>
      <div className="table-scroll">
        <table className="small-table" aria-label={t.coverage}>
          <tbody>
            {rows.map(({ rule, title, status, reasons, unknown = [] }) => (
              <tr key={rule}>
                <td className="nowrap">{t.statuses[status] ?? status}</td>
                <td>
                  <Link to="/detections/$id" params={{ id: rule }}>
                    {title}
                  </Link>
                </td>
                <td>
                  {reasons.join("; ")}
                  {unknown.length > 0 && <span className="muted"> {t.coverageUnknown(unknown)}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
