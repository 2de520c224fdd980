// Other settings for a recommendation: tried on all clusters before they are kept.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { ApiError, api, data } from "../api/client";
import { keys } from "../api/queries";
import type { ClusterPreview, NewRecommendationSettings, RecommendationPreview, RecommendationSettings } from "../api/types";
import { statusName } from "../components/control-status";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { ParameterFields } from "../components/parameter-fields";
import { estateStrings } from "../estate-strings";
import { points } from "../lib/format";
import { notify } from "../lib/messages";
import { lines, parametersOf, understood, type Written, written } from "../lib/parameters";

const t = estateStrings.settings;

interface Props {
  settings: RecommendationSettings;
  onClose: () => void;
}

export function SettingsDialog({ settings, onClose }: Props) {
  const client = useQueryClient();
  const id = settings.recommendation;
  const parameters = parametersOf(settings.parameters);
  const [isOn, setOn] = useState(settings.enabled ?? settings.own_enabled);
  const [left, setLeft] = useState((settings.excluded_namespaces ?? settings.own_excluded_namespaces).join("\n"));
  const [texts, setTexts] = useState<Written>(() =>
    Object.fromEntries(Object.entries(settings.params ?? {}).map(([name, value]) => [name, written(value)])),
  );
  const { params, faults } = understood(parameters, texts);
  const own = settings.own_excluded_namespaces;
  const names = lines(left);
  const body: NewRecommendationSettings = {
    params: params as Record<string, never>,
    excluded_namespaces: names.join("\n") === own.join("\n") ? null : names,
    enabled: isOn === settings.own_enabled ? null : isOn,
  };
  const shown = JSON.stringify(body);
  const [tried, setTried] = useState<{ of: string; preview: RecommendationPreview }>();
  const attempt = useMutation({
    meta: { showsError: true },
    mutationFn: () => data(api.POST("/api/v1/recommendations/{id}/settings/preview", { params: { path: { id } }, body })),
    onSuccess: (preview) => setTried({ of: shown, preview }),
  });
  const save = useMutation({
    meta: { showsError: true },
    mutationFn: () => data(api.PUT("/api/v1/recommendations/{id}/settings", { params: { path: { id } }, body })),
    onSuccess: () => {
      notify(t.saved);
      onClose();
      return client.invalidateQueries({ queryKey: keys.posture });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (hasFaults) return;
    attempt.reset();
    save.mutate();
  };
  const tryOut = () => {
    save.reset();
    attempt.mutate();
  };
  const hasFaults = Object.keys(faults).length > 0;
  const error = save.error ?? attempt.error;
  const field = error instanceof ApiError ? error.field : undefined;
  const atParameter = parameters.some(([name]) => field === `params.${name}`);
  const isBusy = save.isPending || attempt.isPending;
  return (
    <Dialog title={t.dialog} onClose={onClose} className="is-wide-dialog">
      <p className="muted">{t.lead}</p>
      <form className="form" onSubmit={submit}>
        <label className="checkbox-field">
          <input type="checkbox" checked={isOn} onChange={({ target }) => setOn(target.checked)} /> {t.judge}
        </label>
        <ParameterFields
          parameters={parameters}
          texts={texts}
          onChange={setTexts}
          faults={faults}
          refused={error !== null && field !== undefined ? { field, why: error.message } : undefined}
        />
        <label className="field parameter">
          {t.excludedLines}
          <textarea
            className="input is-mono"
            rows={Math.min(8, Math.max(2, names.length))}
            value={left}
            spellCheck={false}
            aria-invalid={field === "excluded_namespaces" || undefined}
            onChange={({ target }) => setLeft(target.value)}
          />
        </label>
        {tried !== undefined && tried.of === shown && <Preview preview={tried.preview} />}
        <FormActions error={atParameter ? null : error} verb={t.save} isBusy={isBusy || hasFaults} onClose={onClose}>
          <button type="button" className="button" disabled={isBusy || hasFaults} onClick={tryOut}>
            {attempt.isPending ? t.trying : t.try}
          </button>
        </FormActions>
      </form>
    </Dialog>
  );
}

function Preview({ preview }: { preview: RecommendationPreview }) {
  const { points: now, points_after: after, clusters } = preview;
  return (
    <div className="settings-preview" role="status">
      <p>
        <strong>{t.preview}</strong> {points(now) === points(after) ? t.noEffect(points(now)) : t.effect(points(now), points(after))}
      </p>
      {clusters.length === 0 ? (
        <p className="muted">{t.noClusters}</p>
      ) : (
        <ul>
          {clusters.map((cluster) => (
            <li key={cluster.id}>
              <Outlook cluster={cluster} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Outlook({ cluster }: { cluster: ClusterPreview }) {
  const word = (health: string | null | undefined) => (health == null ? t.unjudged : statusName(health));
  const [before, then] = [word(cluster.health), word(cluster.health_after)];
  const isSame = cluster.begin_count === 0 && cluster.end_count === 0;
  return (
    <>
      <strong>{cluster.name}</strong>: {before === then ? before : `${before} → ${then}`},{" "}
      {isSame ? t.failing(cluster.failing) : t.flips(cluster.failing, cluster.failing_after, cluster.begin_count, cluster.end_count)}
      <Named title={t.begin(cluster.begin_count)} names={cluster.begin} all={cluster.begin_count} />
      <Named title={t.end(cluster.end_count)} names={cluster.end} all={cluster.end_count} />
    </>
  );
}

function Named({ title, names, all }: { title: string; names: string[]; all: number }) {
  if (names.length === 0) return null;
  return (
    <details>
      <summary>{title}</summary>
      <ul className="is-mono">
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
        {all > names.length && <li className="muted">{t.others(all - names.length)}</li>}
      </ul>
    </details>
  );
}
