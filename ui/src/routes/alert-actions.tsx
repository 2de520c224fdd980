// What people do with an alert: take it up, resolve it, dismiss it, say something about it.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";

import { alertStrings, stateName } from "../alert-strings";
import { api, data } from "../api/client";
import { keys, sessionQuery } from "../api/queries";
import type { AlertSummary } from "../api/types";
import { FormError } from "../components/states";
import { nextStates } from "../lib/alert-filters";
import { useHotkeys } from "../lib/hotkeys";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";

const t = alertStrings.alert;

export interface AlertChange {
  ids: string[];
  state?: string;
  owner?: string;
  note?: string;
}

/** Changes alerts; lists and pages are asked for again. */
export function useAlertChange(onDone?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: AlertChange) => data(api.PATCH("/api/v1/alerts", { body })),
    onSuccess: ({ alerts }, { state, note }) => {
      notify(state !== undefined ? alertStrings.alerts.changed(alerts, stateName(state)) : note !== undefined ? t.noted : t.saved);
      onDone?.();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
}

/** Buttons for what an alert may become next, and their keys. */
export function AlertActions({ alert, onDone }: { alert: AlertSummary; onDone?: () => void }) {
  const mayChange = useMay("operator");
  const { data: session } = useQuery(sessionQuery);
  const change = useAlertChange(onDone);
  const states = nextStates(alert.state);
  const to = (state: (typeof states)[number]) => {
    if (mayChange && !change.isPending && states.includes(state)) change.mutate({ ids: [alert.id], state });
  };
  useHotkeys({ i: () => to("in_progress"), r: () => to("resolved"), d: () => to("dismissed") });
  if (!mayChange) return null;
  const me = session?.user.name;
  return (
    <div className="alert-actions" title={t.keys}>
      {states.map((state) => (
        <button
          key={state}
          type="button"
          className={state === states[0] ? "button is-primary" : "button"}
          disabled={change.isPending}
          onClick={() => to(state)}
        >
          {t.next[state]}
        </button>
      ))}
      {me !== undefined && alert.owner !== me && (
        <button type="button" className="button" disabled={change.isPending} onClick={() => change.mutate({ ids: [alert.id], owner: me })}>
          {t.take}
        </button>
      )}
      <FormError error={change.error} />
    </div>
  );
}

export function NoteForm({ id }: { id: string }) {
  const mayChange = useMay("operator");
  const change = useAlertChange();
  if (!mayChange) return null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const note = String(new FormData(form).get("note")).trim();
    if (note !== "") change.mutate({ ids: [id], note }, { onSuccess: () => form.reset() });
  };
  return (
    <form className="inline-form" onSubmit={submit}>
      <label className="field">
        {t.note}
        <input className="input" name="note" maxLength={4000} autoComplete="off" required />
      </label>
      <button type="submit" className="button" disabled={change.isPending}>
        {t.noteSave}
      </button>
      <FormError error={change.error} />
    </form>
  );
}
