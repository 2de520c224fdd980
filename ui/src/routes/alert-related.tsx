// What the one who raised an alert did before and after it: the nearest first, the rest when it is asked for.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { alertStrings } from "../alert-strings";
import { relatedQuery } from "../api/alert-queries";
import type { AlertDetail, RelatedRequest, RelatedRequests } from "../api/types";
import { ExactTime, Time } from "../components/bits";
import { Loaded } from "../components/loaded";

const t = alertStrings.alert;
/** Requests that are shown at first, before the alert and from it on. */
const NEAR = 8;

export function Related({ alert }: { alert: AlertDetail }) {
  const query = useQuery(relatedQuery(alert.id));
  return (
    <Loaded query={query} rows={3}>
      {(related) => (
        <section className="alert-section">
          <h3>{t.related(related.user)}</h3>
          <Requests related={related} at={alert.first_seen} />
        </section>
      )}
    </Loaded>
  );
}

function Requests({ related, at: here }: { related: RelatedRequests; at: string }) {
  const { user, requests, kept_since: since, is_cut: isCut } = related;
  const [isWhole, setWhole] = useState(false);
  if (since == null) return <p className="muted">{t.relatedOff}</p>;
  if (requests.length === 0) {
    return (
      <p className="muted">
        {t.relatedEmpty} {t.relatedSince} <Time at={since} />.
      </p>
    );
  }
  const before = requests.filter(({ at }) => at < here);
  const after = requests.filter(({ at }) => at >= here);
  const isLong = before.length > NEAR || after.length > NEAR;
  return (
    <>
      <div className="table-scroll">
        <table className="small-table" aria-label={t.related(user)}>
          <thead>
            <tr>
              <th scope="col">{t.relatedColumns.at}</th>
              <th scope="col">{t.relatedColumns.what}</th>
              <th scope="col" className="nowrap">
                {t.relatedColumns.answer}
              </th>
              <th scope="col">{t.relatedColumns.from}</th>
            </tr>
          </thead>
          <tbody>
            <Rows requests={isWhole ? before : before.slice(-NEAR)} />
            <tr className="related-here">
              <td>
                <ExactTime at={here} />
              </td>
              <td colSpan={3}>
                <strong>{t.here}</strong>
              </td>
            </tr>
            <Rows requests={isWhole ? after : after.slice(0, NEAR)} />
          </tbody>
        </table>
      </div>
      {isLong && (
        <p>
          <button type="button" className="button is-small" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? t.relatedNear : t.relatedAll(requests.length)}
          </button>
        </p>
      )}
      {isCut && <p className="muted">{t.relatedCut}</p>}
    </>
  );
}

function Rows({ requests }: { requests: readonly RelatedRequest[] }) {
  return requests.map(({ at, audit_id: id, verb, resource, namespace, name, code, source_ip: ip, user_agent: agent }) => (
    <tr key={`${at} ${id}`}>
      <td>
        <ExactTime at={at} />
      </td>
      <td>
        {verb} {resource} {name == null && namespace != null ? t.relatedIn(namespace) : [namespace, name].filter(Boolean).join("/")}
      </td>
      <td>{code}</td>
      <td className="nowrap" title={agent ?? undefined}>
        {ip}
      </td>
    </tr>
  ));
}
