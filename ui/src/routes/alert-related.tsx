// What the one who raised an alert did before and after it.

import { useQuery } from "@tanstack/react-query";

import { alertStrings } from "../alert-strings";
import { relatedQuery } from "../api/alert-queries";
import type { AlertDetail, RelatedRequest } from "../api/types";
import { ExactTime, Time } from "../components/bits";
import { ErrorState, Skeleton } from "../components/states";

const t = alertStrings.alert;

export function Related({ alert }: { alert: AlertDetail }) {
  const { data: related, error, refetch } = useQuery(relatedQuery(alert.id));
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (related === undefined) return <Skeleton rows={3} />;
  const { user, requests, kept_since: since, is_cut: isCut } = related;
  const before = requests.filter(({ at }) => at < alert.first_seen);
  const after = requests.filter(({ at }) => at >= alert.first_seen);
  return (
    <section className="alert-section">
      <h3>{t.related(user)}</h3>
      {since == null ? (
        <p className="muted">{t.relatedOff}</p>
      ) : requests.length === 0 ? (
        <p className="muted">
          {t.relatedEmpty} {t.relatedSince} <Time at={since} />.
        </p>
      ) : (
        <div className="table-scroll">
          <table className="small-table" aria-label={t.related(user)}>
            <thead>
              <tr>
                <th scope="col">{t.relatedColumns.at}</th>
                <th scope="col">{t.relatedColumns.what}</th>
                <th scope="col">{t.relatedColumns.answer}</th>
                <th scope="col">{t.relatedColumns.from}</th>
              </tr>
            </thead>
            <tbody>
              <Rows requests={before} />
              <tr className="related-here">
                <td>
                  <ExactTime at={alert.first_seen} />
                </td>
                <td colSpan={3}>
                  <strong>{t.here}</strong>
                </td>
              </tr>
              <Rows requests={after} />
            </tbody>
          </table>
          {isCut && <p className="muted">{t.relatedCut}</p>}
        </div>
      )}
    </section>
  );
}

function Rows({ requests }: { requests: readonly RelatedRequest[] }) {
  return requests.map(({ at, audit_id: id, verb, resource, namespace, name, code, source_ip: ip, user_agent: agent }) => (
    <tr key={id}>
      <td>
        <ExactTime at={at} />
      </td>
      <td>
        {verb} {resource} {[namespace, name].filter(Boolean).join("/")}
      </td>
      <td>{code}</td>
      <td title={agent ?? undefined}>{ip}</td>
    </tr>
  ));
}
