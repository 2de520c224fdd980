// Which detections see what they need in what arrives, and which are blind.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { alertStrings } from "../alert-strings";
import { auditCoverageQuery } from "../api/alert-queries";
import { ErrorState } from "../components/states";

const t = alertStrings.audit;
/** What needs somebody comes first. */
const ORDER = ["blind", "partial", "fine"];

export function Coverage({ name }: { name: string }) {
  const { data: coverage, error, refetch } = useQuery(auditCoverageQuery(name));
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (coverage === undefined) return null;
  const of = (status: string) => coverage.detections.filter((one) => one.status === status).length;
  const rows = [...coverage.detections].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  return (
    <details>
      <summary>
        {t.coverage}: {coverage.events === 0 ? t.coverageNone : t.coverageCounts(of("fine"), of("blind"), rows.length)}
      </summary>
      <p className="muted">{t.coverageLead}</p>
      <div className="table-scroll">
        <table className="small-table" aria-label={t.coverage}>
          <tbody>
            {rows.map(({ rule, title, status, reasons }) => (
              <tr key={rule}>
                <td className="nowrap">{t.statuses[status] ?? status}</td>
                <td>
                  <Link to="/alerts" search={{ rule, state: "any" }}>
                    {title}
                  </Link>
                </td>
                <td>{reasons.join("; ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
