// One alert on a page of its own, to work on or to send around.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { alertStrings } from "../alert-strings";
import { alertDetailQuery } from "../api/alert-queries";
import { AlertSeverityLabel, AlertStateLabel } from "../components/alert-words";
import { useTitle } from "../components/bits";
import { Icon } from "../components/icon";
import { ErrorState, Skeleton } from "../components/states";
import { AlertActions } from "./alert-actions";
import { AlertFacts, Inspect, More, TakeAction } from "./alert-body";
import "./alerts.css";
import "./finding-pane.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/alerts/$id");
const t = alertStrings.alert;

export function AlertPage() {
  const { id } = route.useParams();
  const { data: alert, error, refetch } = useQuery(alertDetailQuery(id));
  useTitle(alert?.title ?? t.label);
  return (
    <div className="page">
      <Link to="/alerts" search={{}} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : alert === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <>
          <h1>{alert.title}</h1>
          <p className="pane-rating">
            <AlertSeverityLabel severity={alert.severity} />
            <AlertStateLabel state={alert.state} />
          </p>
          <AlertActions alert={alert} />
          <div className="alert-columns">
            <div>
              <h2 className="visually-hidden">{t.evidence}</h2>
              <div className="panel alert-card">
                <Inspect alert={alert} />
              </div>
              <div className="panel alert-card">
                <More alert={alert} />
              </div>
            </div>
            <div>
              <h2 className="visually-hidden">{t.actions}</h2>
              <div className="panel alert-card">
                <AlertFacts alert={alert} />
              </div>
              <div className="panel alert-card">
                <TakeAction alert={alert} />
              </div>
            </div>
          </div>
        </>
      )}
    </div>
  );
}
