// What a policy would make of what a cluster has now.

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { admissionStrings as t } from "../admission-strings";
import { admissionClustersQuery } from "../api/admission-queries";
import { api, data } from "../api/client";
import type { AdmissionPreview } from "../api/types";
import { FormError } from "../components/states";
import type { Policy } from "../lib/admission";

/** Objects that are named. */
const NAMED = 20;
const EFFECTS = ["denied", "warned", "audited", "unchecked"] as const;

interface Props {
  policy: Policy;
  /** Only by this recommendation; by all, if absent. */
  recommendation?: string;
  isDisabled?: boolean;
}

export function Trial({ policy, recommendation, isDisabled = false }: Props) {
  const { data: clusters } = useQuery(admissionClustersQuery);
  const [chosen, setChosen] = useState<number>();
  const shown = JSON.stringify(policy);
  const [tried, setTried] = useState<{ of: string; preview: AdmissionPreview }>();
  const asset = chosen ?? clusters?.[0]?.id;
  const attempt = useMutation({
    meta: { showsError: true },
    mutationFn: (cluster: number) => data(api.POST("/api/v1/admission/preview", { body: { asset: cluster, policy: policy as Record<string, never> } })),
    onSuccess: (preview) => setTried({ of: `${shown} ${asset}`, preview }),
  });
  if (clusters === undefined) return null;
  return (
    <fieldset className="admission-trial">
      <legend>{t.try}</legend>
      {clusters.length === 0 || asset === undefined ? (
        <p className="muted">{t.tryNone}</p>
      ) : (
        <div className="inline-form">
          <label className="field">
            {t.tryOn}
            <select value={asset} onChange={({ target }) => setChosen(Number(target.value))}>
              {clusters.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <button type="button" className="button" disabled={isDisabled || attempt.isPending} onClick={() => attempt.mutate(asset)}>
            {attempt.isPending ? t.trying : t.tryButton}
          </button>
        </div>
      )}
      <FormError error={attempt.error} />
      {tried !== undefined && tried.of === `${shown} ${asset}` && <Tried preview={tried.preview} recommendation={recommendation} />}
    </fieldset>
  );
}

function Tried({ preview, recommendation }: { preview: AdmissionPreview; recommendation: string | undefined }) {
  const isMeant = (one: { recommendation: string }) => recommendation === undefined || one.recommendation === recommendation;
  const rules = preview.rules.filter(isMeant);
  const sums = EFFECTS.map((effect) => ({ effect, sum: rules.reduce((sum, rule) => sum + rule[effect], 0) })).filter(({ sum }) => sum > 0);
  // What would be refused matters most, and not all may be named.
  const weight = ({ effect }: { effect: string }) => EFFECTS.findIndex((one) => one === effect);
  const hits = preview.hits.filter(isMeant).sort((a, b) => weight(a) - weight(b));
  const all = sums.reduce((sum, one) => sum + one.sum, 0);
  return (
    <div role="status">
      <p>
        {t.tried(preview.objects)} {sums.length === 0 ? t.triedNothing : sums.map(({ effect, sum }) => t.decided[effect](sum)).join(", ")}
      </p>
      {hits.length > 0 && (
        <ul className="admission-hits">
          {hits.slice(0, NAMED).map((hit) => (
            <li key={`${hit.recommendation} ${hit.kind} ${hit.namespace} ${hit.name}`}>
              <strong>{t.effects[hit.effect as (typeof EFFECTS)[number]] ?? hit.effect}</strong>{" "}
              <code>
                {hit.kind} {hit.namespace}/{hit.name}
              </code>
              : {hit.messages.join("; ")}
            </li>
          ))}
          {all > Math.min(hits.length, NAMED) && <li className="muted">{t.triedMore(all - Math.min(hits.length, NAMED))}</li>}
        </ul>
      )}
      {preview.gaps.length > 0 && (
        <p className="muted">
          {t.gaps} {preview.gaps.join("; ")}
        </p>
      )}
    </div>
  );
}
