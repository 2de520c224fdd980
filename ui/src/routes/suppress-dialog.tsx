// A suppression rule: what it fits, why, until when; tried on the alerts that there are before it is saved.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { alertStrings, entityName } from "../alert-strings";
import { api, data } from "../api/client";
import { keys } from "../api/queries";
import type { AlertDetail, NewSuppressionRule, SuppressionRule } from "../api/types";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { notify } from "../lib/messages";
import "./alerts.css";
import "../components/parameter-fields.css";

const t = alertStrings.suppressions;
const DAYS = ["7", "30", "90", "180", "0"] as const;
const REASONS = ["false_positive", "noise", "accepted", "other"] as const;
/** What alerts are suppressed by most often; an alert's own kinds come first. */
const KINDS = ["account", "user", "ip", "pod", "namespace", "workload", "image", "cluster"];

interface Criterion {
  kind: string;
  names: string;
}

interface Props {
  /** Begins with what this alert names. */
  alert?: AlertDetail;
  /** Changes this rule. */
  rule?: SuppressionRule;
  onClose: () => void;
}

export function SuppressDialog({ alert, rule, onClose }: Props) {
  const client = useQueryClient();
  const [criteria, setCriteria] = useState<Criterion[]>(() => firstCriteria(alert, rule));
  const kinds = [...new Set([...(alert?.entities.map(({ kind }) => kind) ?? []), ...criteria.map(({ kind }) => kind), ...KINDS])];
  const trial = useMutation({
    mutationFn: (body: NewSuppressionRule) => data(api.POST("/api/v1/suppressions/trial", { body })),
  });
  const save = useMutation({
    mutationFn: (body: NewSuppressionRule) =>
      rule === undefined
        ? data(api.POST("/api/v1/suppressions", { body }))
        : data(api.PUT("/api/v1/suppressions/{id}", { params: { path: { id: rule.id } }, body })),
    onSuccess: () => {
      notify(t.saved);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
  const change = (at: number, part: Partial<Criterion>) =>
    setCriteria((before) => before.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const body = (form: HTMLFormElement): NewSuppressionRule => {
    const fields = new FormData(form);
    const days = Number(fields.get("days"));
    const kept = fields.get("days") === "keep" ? rule?.expires : undefined;
    return {
      name: String(fields.get("name")).trim(),
      is_on: rule === undefined || fields.get("is_on") !== null,
      rule: String(fields.get("rule")).trim() || null,
      criteria: criteria
        .map(({ kind, names }) => ({ kind, names: names.split(",").map((name) => name.trim()).filter(Boolean) }))
        .filter(({ names }) => names.length > 0),
      reason: String(fields.get("reason")),
      comment: String(fields.get("comment")).trim(),
      expires: kept ?? (days > 0 ? new Date(Date.now() + days * 86_400_000).toISOString() : null),
    };
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(body(event.currentTarget));
  };
  return (
    <Dialog title={rule === undefined ? t.add : t.edit} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <label className="field">
          {t.name}
          <input
            className="input"
            name="name"
            required
            pattern="[A-Za-z0-9][A-Za-z0-9_\-]+"
            maxLength={50}
            title={t.nameHint}
            autoComplete="off"
            defaultValue={rule?.name ?? ""}
          />
        </label>
        <label className="field">
          {t.detection}
          <input className="input is-mono" name="rule" placeholder={t.anyDetection} autoComplete="off" defaultValue={rule?.rule ?? alert?.rule ?? ""} />
        </label>
        <fieldset className="form">
          <legend>{t.criteria}</legend>
          <p className="muted">{t.criteriaHint}</p>
          {criteria.map(({ kind, names }, at) => (
            <div key={at} className="criterion">
              <label className="field">
                {t.kind}
                <select value={kind} onChange={(event) => change(at, { kind: event.target.value })}>
                  {kinds.map((one) => (
                    <option key={one} value={one}>
                      {entityName(one)}
                    </option>
                  ))}
                </select>
              </label>
              <label className="field">
                {t.names}
                <input className="input" value={names} autoComplete="off" onChange={(event) => change(at, { names: event.target.value })} />
              </label>
              <button type="button" className="button" onClick={() => setCriteria((before) => before.filter((_, index) => index !== at))}>
                {t.dropCriterion}
              </button>
            </div>
          ))}
          <button
            type="button"
            className="button is-small"
            onClick={() => setCriteria((before) => [...before, { kind: kinds[0] ?? "user", names: "" }])}
          >
            {t.addCriterion}
          </button>
        </fieldset>
        <label className="field">
          {t.reason}
          <select name="reason" defaultValue={rule?.reason ?? "false_positive"}>
            {REASONS.map((reason) => (
              <option key={reason} value={reason}>
                {t.reasons[reason]}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t.comment}
          <input className="input" name="comment" maxLength={2000} autoComplete="off" defaultValue={rule?.comment ?? ""} />
        </label>
        <label className="field">
          {t.until}
          <select name="days" defaultValue={rule?.expires == null ? (rule === undefined ? "90" : "0") : "keep"}>
            {rule?.expires != null && <option value="keep">{new Date(rule.expires).toLocaleDateString("en-CA")}</option>}
            {DAYS.map((days) => (
              <option key={days} value={days}>
                {t.days[days]}
              </option>
            ))}
          </select>
        </label>
        {rule !== undefined && (
          <label className="checkbox-field">
            <input type="checkbox" name="is_on" defaultChecked={rule.is_on} />
            {t.isOn}
          </label>
        )}
        <p role="status">{trial.data !== undefined && t.trialResult(trial.data.alerts, trial.data.events, trial.data.looked_at)}</p>
        <FormActions error={save.error ?? trial.error} verb={t.save} isBusy={save.isPending} onClose={onClose}>
          <button
            type="button"
            className="button"
            disabled={trial.isPending}
            onClick={(event) => {
              const { form } = event.currentTarget;
              if (form !== null && form.reportValidity()) trial.mutate(body(form));
            }}
          >
            {t.trial}
          </button>
        </FormActions>
      </form>
    </Dialog>
  );
}

function firstCriteria(alert: AlertDetail | undefined, rule: SuppressionRule | undefined): Criterion[] {
  if (rule !== undefined) return (rule.criteria ?? []).map(({ kind, names }) => ({ kind, names: names.join(", ") }));
  // Who did it is what most rules are about; what it was done to, less so.
  const who = alert?.entities.find(({ kind }) => ["account", "user", "service-account"].includes(kind)) ?? alert?.entities[0];
  return who === undefined ? [] : [{ kind: who.kind, names: who.name }];
}
