// Takes assets out of a recommendation, after saying what that does to the score.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, data } from "../api/client";
import { scoreIfQuery, scoreOfQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { Score } from "../api/types";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { estateStrings } from "../estate-strings";
import { points } from "../lib/format";
import { notify } from "../lib/messages";

const t = estateStrings.exempt;
const DAYS = ["30", "90", "180", "365", "0"] as const;
const KINDS = ["waiver", "mitigated"] as const;

interface Props {
  recommendation: string;
  chosen: number[];
  environment: string | undefined;
  onClose: () => void;
  onDone: () => void;
}

type Scope = "chosen" | "environment" | "all";

export function ExemptDialog({ recommendation, chosen, environment, onClose, onDone }: Props) {
  const client = useQueryClient();
  const scopes: (readonly [Scope, string])[] = [];
  if (chosen.length > 0) scopes.push(["chosen", t.scopeChosen(chosen.length)]);
  if (environment !== undefined) scopes.push(["environment", t.scopeEnvironment(environment)]);
  scopes.push(["all", t.scopeAll]);
  const [scope, setScope] = useState<Scope>(scopes[0]?.[0] ?? "all");
  const targets = scope === "chosen" ? chosen.map((asset) => ({ asset })) : scope === "environment" ? [{ environment }] : [{}];
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: async (fields: FormData) => {
      const days = Number(fields.get("days"));
      const expires = days === 0 ? undefined : new Date(Date.now() + days * 86_400_000).toISOString();
      const kind = String(fields.get("kind"));
      const reason = String(fields.get("reason")).trim();
      // One after the other: each is judged by itself, and the first that is refused ends it.
      for (const target of targets) {
        await data(api.POST("/api/v1/exemptions", { body: { recommendation, kind, reason, expires, ...target } }));
      }
    },
    onSuccess: () => {
      notify(t.saved(targets.length));
      onDone();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.posture }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(new FormData(event.currentTarget));
  };
  return (
    <Dialog title={t.title} onClose={onClose}>
      <p className="muted">{t.lead}</p>
      <form className="form" onSubmit={submit}>
        <fieldset className="radio-group">
          <legend>{t.scope}</legend>
          {scopes.map(([value, name]) => (
            <label key={value}>
              <input type="radio" name="scope" value={value} checked={scope === value} onChange={() => setScope(value)} /> {name}
            </label>
          ))}
        </fieldset>
        <label className="field">
          {t.kind}
          <select name="kind" defaultValue="waiver">
            {KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {t.kinds[kind]}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t.until}
          <select name="days" defaultValue="90">
            {DAYS.map((days) => (
              <option key={days} value={days}>
                {t.days[days]}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t.reason}
          <input className="input" name="reason" maxLength={2000} required autoComplete="off" />
        </label>
        <Effect recommendation={recommendation} scope={scope} chosen={chosen} environment={environment} />
        <FormActions error={create.error} verb={t.save} isBusy={create.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}

type EffectProps = Pick<Props, "recommendation" | "chosen" | "environment"> & { scope: Scope };

function Effect({ recommendation, scope, chosen, environment }: EffectProps) {
  const { data: now } = useQuery(scoreOfQuery());
  const { data: after } = useQuery(
    scoreIfQuery({
      recommendation,
      assets: scope === "chosen" ? chosen : [],
      environment: scope === "environment" ? environment : undefined,
      then: "exempt",
    }),
  );
  if (now === undefined || after === undefined) return null;
  const [first, last] = [told(now), told(after)];
  return <p role="status">{first === last ? t.noEffect(first) : t.effect(first, last)}</p>;
}

function told({ share, points: there, max }: Score): string {
  if (share == null) return t.none;
  return `${Math.round(share * 100)}% (${estateStrings.recommendations.points(points(there), points(max))})`;
}
