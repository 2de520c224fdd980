// One alert beside the list, for triage by keyboard: J and K go on, I, R and D say what becomes of it.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { alertStrings } from "../alert-strings";
import { alertDetailQuery } from "../api/alert-queries";
import { AlertSeverityLabel, AlertStateLabel } from "../components/alert-words";
import { Icon } from "../components/icon";
import { ErrorState, Skeleton } from "../components/states";
import { useHotkeys } from "../lib/hotkeys";
import { strings } from "../strings";
import { AlertActions } from "./alert-actions";
import { AlertFacts, Inspect, More, TakeAction } from "./alert-body";
import "./finding-pane.css";
import "./hosts.css";

const t = alertStrings.alert;

interface Props {
  id: string;
  onClose: () => void;
  /** After its state was changed. */
  onNext: () => void;
}

export function AlertPane({ id, onClose, onNext }: Props) {
  const { data: alert, error, refetch } = useQuery(alertDetailQuery(id));
  const heading = useRef<HTMLHeadingElement>(null);
  const pane = useRef<HTMLElement>(null);
  useHotkeys({ Escape: onClose });
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    pane.current?.scrollTo(0, 0);
  }, [id]);
  return (
    <aside ref={pane} className="pane" aria-label={t.label}>
      <header className="pane-header">
        <h2 ref={heading} tabIndex={-1}>
          {alert?.title ?? t.label}
        </h2>
        <button type="button" className="button icon-button" aria-label={strings.common.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="pane-body">
        {error !== null ? (
          <ErrorState error={error} retry={() => void refetch()} />
        ) : alert === undefined ? (
          <Skeleton rows={6} />
        ) : (
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
            <More alert={alert} />
          </>
        )}
      </div>
    </aside>
  );
}
