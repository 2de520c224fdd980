// Which detections see what they need in what arrives, or by the policy that is said to be in force, and which are blind.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { alertStrings } from "../alert-strings";
import { auditCoverageQuery } from "../api/alert-queries";
import type { AuditCoverage } from "../api/types";
import { SightLabel } from "../components/detection-words";
import { ErrorState } from "../components/states";
import { PolicyDialog } from "./audit-policy";

const t = alertStrings.audit;
/** What needs somebody comes first. */
const ORDER = ["blind", "partial", "unknown", "sees"];

export function Coverage({ name, mayChange }: { name: string; mayChange: boolean }) {
  const { data: coverage, error, refetch } = useQuery(auditCoverageQuery(name));
  const [isGiving, setGiving] = useState(false);
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (coverage === undefined) return null;
  const hasPolicy = coverage.has_policy === true;
  return (
    <div className="alert-section">
      <h3>{t.coverage}</h3>
      <p className="muted">{hasPolicy ? t.coverageByPolicy : t.coverageByEvents}</p>
      {coverage.events === 0 && !hasPolicy ? (
        <p>{t.coverageNone}</p>
      ) : (
        <details>
          <summary>{counts(coverage)}</summary>
          <CoverageTable coverage={coverage} />
        </details>
      )}
      {mayChange && (
        <p>
          <button type="button" className="button is-small" onClick={() => setGiving(true)}>
            {hasPolicy ? t.policyChange : t.policyGive}
          </button>
        </p>
      )}
      {isGiving && <PolicyDialog name={name} onClose={() => setGiving(false)} />}
    </div>
  );
}

function counts({ detections }: AuditCoverage): string {
  const of = (wanted: string) => detections.filter(({ status }) => status === wanted).length;
  return t.coverageCounts(of("sees"), of("partial"), of("blind"), of("unknown"));
}

/** Each detection with what it lacks. `isTrouble`: how many see, and of the others each. */
export function CoverageTable({ coverage, isTrouble = false }: { coverage: AuditCoverage; isTrouble?: boolean }) {
  const rows = [...coverage.detections]
    .filter(({ status }) => !isTrouble || status !== "sees")
    .sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  return (
    <>
      {isTrouble && <p role="status">{counts(coverage)}</p>}
      {rows.length > 0 && (
        <div className="table-scroll">
          <table className="small-table" aria-label={t.coverage}>
            <thead>
              <tr>
                <th scope="col">{t.coverageColumns.sees}</th>
                <th scope="col">{t.coverageColumns.detection}</th>
                <th scope="col">{t.coverageColumns.lacks}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ rule, title, status, reasons, unknown = [] }) => (
                <tr key={rule}>
                  <td className="nowrap">
                    <SightLabel sight={status} />
                  </td>
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
      )}
    </>
  );
}
