// One alert beside the list, for triage by keyboard: J and K go on, I, R and D say what becomes of it.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { alertStrings } from "../alert-strings";
import { alertDetailQuery } from "../api/alert-queries";
import { AlertSeverityLabel, AlertStateLabel } from "../components/alert-words";
import { Loaded } from "../components/loaded";
import { Pane } from "../components/pane";
import { AlertActions } from "./alert-actions";
import { AlertFacts, Inspect, More, TakeAction } from "./alert-body";
import "./hosts.css";

const t = alertStrings.alert;

interface Props {
  id: string;
  onClose: () => void;
  /** After its state was changed. */
  onNext: () => void;
}

export function AlertPane({ id, onClose, onNext }: Props) {
  const query = useQuery(alertDetailQuery(id));
  return (
    <Pane label={t.label} title={query.data?.title ?? t.label} of={id} onClose={onClose}>
      <Loaded query={query} rows={6}>
        {(alert) => (
          <>
            <p className="pane-rating">
              <AlertSeverityLabel severity={alert.severity} />
              <AlertStateLabel state={alert.state} />
              <Link to="/alerts/$id" params={{ id }}>
                {t.whole}
              </Link>
            </p>
            <AlertActions alert={alert} onDone={onNext} />
            <AlertFacts alert={alert} />
            <Inspect alert={alert} />
            <TakeAction alert={alert} />
            <More key={id} alert={alert} />
          </>
        )}
      </Loaded>
    </Pane>
  );
}
