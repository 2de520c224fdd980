// One incident: what its alerts share, and their time line.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { alertStrings, entityName, spelled } from "../alert-strings";
import { incidentQuery } from "../api/alert-queries";
import { api, data } from "../api/client";
import { keys, sessionQuery } from "../api/queries";
import type { IncidentDetail } from "../api/types";
import { AlertSeverityLabel, AlertStateLabel, Attack } from "../components/alert-words";
import { ExactTime, Fact, useTitle } from "../components/bits";
import { Icon } from "../components/icon";
import { ErrorState, FormError, Skeleton } from "../components/states";
import { nextStates } from "../lib/alert-filters";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import "./alerts.css";
import "./finding-pane.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/incidents/$id");
const t = alertStrings.incidents;

export function IncidentPage() {
  const { id } = route.useParams();
  const { data: incident, error, refetch } = useQuery(incidentQuery(id));
  useTitle(incident?.title ?? t.title);
  return (
    <div className="page">
      <Link to="/incidents" search={{}} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : incident === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <Incident incident={incident} />
      )}
    </div>
  );
}

function Incident({ incident }: { incident: IncidentDetail }) {
  return (
    <>
      <h1>{incident.title}</h1>
      <p className="pane-rating">
        <AlertSeverityLabel severity={incident.severity} />
        <AlertStateLabel state={incident.state} />
      </p>
      <Actions incident={incident} />
      <section className="panel alert-card">
        <dl className="facts">
          <Fact name={t.shared}>
            {incident.shared.map(({ kind, name }) => (
              <span key={`${kind} ${name}`} className="block">
                <span className="muted">{entityName(kind)}</span>{" "}
                <Link to="/alerts" search={{ entity: name, state: "any" }}>
                  {name}
                </Link>
              </span>
            ))}
          </Fact>
          <Fact name={t.clusters}>{incident.clusters.join(", ")}</Fact>
          <Fact name={alertStrings.alert.owner}>{incident.owner ?? <span className="muted">{alertStrings.alert.nobody}</span>}</Fact>
          <Fact name={t.tactics}>
            <ol className="kill-chain">
              {incident.tactics.map((tactic) => (
                <li key={tactic}>
                  <span className="tag">{spelled(tactic)}</span>
                </li>
              ))}
            </ol>
          </Fact>
        </dl>
      </section>
      <section className="panel alert-card">
        <h2>{t.timeline}</h2>
        {incident.alerts > incident.timeline.length && <p className="muted">{t.timelineCut(incident.timeline.length, incident.alerts)}</p>}
        <ol className="timeline">
          {incident.timeline.map((alert) => (
            <li key={alert.id}>
              <span className="muted">
                <ExactTime at={alert.first_seen} />
              </span>
              <div>
                <span className="pane-rating">
                  <Link to="/alerts/$id" params={{ id: alert.id }}>
                    {alert.title}
                  </Link>
                  <AlertSeverityLabel severity={alert.severity} />
                  <AlertStateLabel state={alert.state} />
                </span>
                <span className="muted">
                  {[alert.compromised_entity, alert.cluster, alertStrings.alerts.seen(alert.seen)].filter(Boolean).join(" · ")}
                </span>
                <Attack tactics={alert.tactics} techniques={alert.techniques} />
              </div>
            </li>
          ))}
        </ol>
      </section>
    </>
  );
}

function Actions({ incident }: { incident: IncidentDetail }) {
  const client = useQueryClient();
  const mayChange = useMay("operator");
  const { data: session } = useQuery(sessionQuery);
  const me = session?.user.name;
  const change = useMutation({
    mutationFn: (body: { state: string } | { owner: string }) =>
      data(api.PATCH("/api/v1/incidents/{id}", { params: { path: { id: incident.id } }, body })),
    onSuccess: () => notify(t.changed),
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
  if (!mayChange) return null;
  return (
    <div className="alert-actions">
      {nextStates(incident.state).map((state) => (
        <button key={state} type="button" className="button" disabled={change.isPending} onClick={() => change.mutate({ state })}>
          {alertStrings.alert.next[state]}
        </button>
      ))}
      {me !== undefined && incident.owner !== me && (
        <button type="button" className="button" disabled={change.isPending} onClick={() => change.mutate({ owner: me })}>
          {alertStrings.alert.take}
        </button>
      )}
      <FormError error={change.error} />
    </div>
  );
}
