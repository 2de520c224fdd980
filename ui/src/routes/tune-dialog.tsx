// A change of a detection or a list: what, where, why, until when.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { severityName } from "../alert-strings";
import { auditClustersQuery } from "../api/alert-queries";
import { api, data } from "../api/client";
import { keys } from "../api/queries";
import type { NewTuning, TuningChange } from "../api/types";
import { Dialog } from "../components/dialog";
import { FormError } from "../components/states";
import { detectionStrings } from "../detection-strings";
import { ALERT_SEVERITIES } from "../lib/alert-filters";
import { notify } from "../lib/messages";
import { type Comparison, exception, OPERATORS, type Operator, split } from "../lib/tuning-words";
import { strings } from "../strings";
import "./detections.css";

const t = detectionStrings.tune;
const DAYS = ["0", "7", "30", "90"] as const;
/** What exceptions are about most often; the detection's own fields come after. */
const FIELDS = ["ka.user.name", "kube.namespace", "kube.name", "ka.useragent", "kube.source"];

export type TuneKind = "on" | "off" | "severity" | "exception" | "list";

interface Props {
  kind: TuneKind;
  /** A detection's id, or a list's name. */
  target: string;
  title: string;
  severity?: string;
  fields?: readonly string[];
  onTry?: (tuning: NewTuning) => void;
  onClose: () => void;
}

const TITLES: Record<TuneKind, string> = {
  on: t.switchOn,
  off: t.switchOff,
  severity: t.severity,
  exception: t.exception,
  list: t.list,
};

export function TuneDialog({ kind, target, title, severity, fields = [], onTry, onClose }: Props) {
  const client = useQueryClient();
  const clusters = useQuery(auditClustersQuery).data?.clusters ?? [];
  const names = [...new Set([...FIELDS, ...fields])];
  const [comparisons, setComparisons] = useState<Comparison[]>([{ field: names[0] ?? "", operator: "=", value: "" }]);
  const save = useMutation({
    mutationFn: (body: NewTuning) => data(api.POST("/api/v1/detection-tunings", { body })),
    onSuccess: () => {
      notify(t.saved);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
  const body = (form: HTMLFormElement): NewTuning | undefined => {
    const values = new FormData(form);
    const text = (name: string) => String(values.get(name) ?? "").trim();
    const change = changeOf(kind, comparisons, text);
    if (change === undefined) return undefined;
    const days = Number(text("days"));
    return {
      target,
      change,
      cluster: text("cluster") === "" ? null : text("cluster"),
      reason: text("reason"),
      expires: days > 0 ? new Date(Date.now() + days * 86_400_000).toISOString() : null,
    };
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const tuning = body(event.currentTarget);
    if (tuning !== undefined) save.mutate(tuning);
  };
  return (
    <Dialog title={`${TITLES[kind]}: ${title}`} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {kind === "severity" && (
          <label className="field">
            {detectionStrings.detections.severity}
            <select name="severity" defaultValue={severity}>
              {ALERT_SEVERITIES.map((one) => (
                <option key={one} value={one}>
                  {severityName(one)}
                </option>
              ))}
            </select>
          </label>
        )}
        {kind === "exception" && <Comparisons names={names} comparisons={comparisons} change={setComparisons} />}
        {kind === "list" && (
          <>
            <label className="field">
              {t.items}
              <textarea className="input is-mono" name="add" rows={4} spellCheck={false} />
            </label>
            <label className="field">
              {t.itemsOut}
              <textarea className="input is-mono" name="remove" rows={2} spellCheck={false} />
            </label>
          </>
        )}
        <label className="field">
          {t.reason}
          <input className="input" name="reason" required maxLength={2000} autoComplete="off" placeholder={t.reasonHint} />
        </label>
        {clusters.length > 0 && (
          <label className="field">
            {t.cluster}
            <select name="cluster" defaultValue="">
              <option value="">{t.everywhere}</option>
              {clusters.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label className="field">
          {t.until}
          <select name="days" defaultValue="0">
            {DAYS.map((days) => (
              <option key={days} value={days}>
                {t.ends[days]}
              </option>
            ))}
          </select>
        </label>
        <FormError error={save.error} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            {strings.common.cancel}
          </button>
          {onTry !== undefined && kind !== "severity" && (
            <button
              type="button"
              className="button"
              onClick={(event) => {
                const { form } = event.currentTarget;
                const tuning = form !== null && form.reportValidity() ? body(form) : undefined;
                if (tuning === undefined) return;
                onTry(tuning);
                onClose();
              }}
            >
              {t.try}
            </button>
          )}
          <button type="submit" className="button is-primary" disabled={save.isPending}>
            {t.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function changeOf(kind: TuneKind, comparisons: readonly Comparison[], text: (name: string) => string): TuningChange | undefined {
  switch (kind) {
    case "on":
      return { kind: "switch", is_on: true };
    case "off":
      return { kind: "switch", is_on: false };
    case "severity":
      return { kind: "severity", severity: text("severity") };
    case "exception":
      return exception(comparisons);
    case "list":
      return { kind: "list", add: split(text("add"), "\n"), remove: split(text("remove"), "\n") };
  }
}

interface ComparisonsProps {
  names: readonly string[];
  comparisons: readonly Comparison[];
  change: (comparisons: Comparison[]) => void;
}

function Comparisons({ names, comparisons, change }: ComparisonsProps) {
  const set = (at: number, part: Partial<Comparison>) =>
    change(comparisons.map((one, index) => (index === at ? { ...one, ...part } : one)));
  return (
    <fieldset className="form">
      <legend>{t.comparisons}</legend>
      <p className="muted">{t.valueHint}</p>
      {comparisons.map(({ field, operator, value }, at) => (
        <div key={at} className="comparison">
          <label className="field">
            {t.field}
            <input className="input is-mono" list="tune-fields" required value={field} autoComplete="off" onChange={(event) => set(at, { field: event.target.value })} />
          </label>
          <label className="field">
            {t.operator}
            <select value={operator} onChange={(event) => set(at, { operator: event.target.value as Operator })}>
              {OPERATORS.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
          <label className="field">
            {t.value}
            <input className="input" required value={value} autoComplete="off" onChange={(event) => set(at, { value: event.target.value })} />
          </label>
          {comparisons.length > 1 && (
            <button type="button" className="button" onClick={() => change(comparisons.filter((_, index) => index !== at))}>
              {t.drop}
            </button>
          )}
        </div>
      ))}
      <datalist id="tune-fields">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <button type="button" className="button is-small" onClick={() => change([...comparisons, { field: "", operator: "=", value: "" }])}>
        {t.add}
      </button>
    </fieldset>
  );
}
