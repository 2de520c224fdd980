// What is set for a recommendation about clusters: its parameters, the namespaces that it leaves out, whether it is
// judged; who changed it, and what another setting would do before it is kept.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, done } from "../api/client";
import { recommendationSettingsQuery, settingsHistoryQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { NewRecommendationSettings, RecommendationSettings } from "../api/types";
import { Fact, Time } from "../components/bits";
import { Confirm } from "../components/dialog";
import { ErrorState, FormError, Skeleton } from "../components/states";
import { estateStrings } from "../estate-strings";
import { notify } from "../lib/messages";
import { parametersOf, written } from "../lib/parameters";
import { useMay } from "../lib/role";
import { SettingsDialog } from "./recommendation-settings-dialog";

const t = estateStrings.settings;

export function Settings({ recommendation }: { recommendation: string }) {
  const query = useQuery(recommendationSettingsQuery(recommendation));
  const mayChange = useMay("security_admin");
  const [isOpen, setOpen] = useState(false);
  const settings = query.data;
  return (
    <section className="host-section" aria-labelledby="settings-title">
      <div className="page-head">
        <h2 id="settings-title">{t.title}</h2>
        {settings !== undefined && mayChange && (
          <span className="page-actions">
            {settings.author != null && <Reset recommendation={recommendation} />}
            <button type="button" className="button is-small" onClick={() => setOpen(true)}>
              {t.change}
            </button>
          </span>
        )}
      </div>
      {query.isError ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : settings === undefined ? (
        <Skeleton rows={2} />
      ) : (
        <Shown settings={settings} />
      )}
      {!mayChange && <p className="muted">{t.forbidden}</p>}
      {isOpen && settings !== undefined && <SettingsDialog settings={settings} onClose={() => setOpen(false)} />}
    </section>
  );
}

function Shown({ settings }: { settings: RecommendationSettings }) {
  const parameters = parametersOf(settings.parameters);
  const isOn = settings.enabled ?? settings.own_enabled;
  const left = settings.excluded_namespaces ?? settings.own_excluded_namespaces;
  return (
    <>
      <dl className="settings-shown">
        <Fact name={t.judged}>
          {isOn ? t.on : t.off} {settings.enabled == null && <span className="muted">{t.own}</span>}
        </Fact>
        {parameters.map(([name, { title, default: own, isRequired }]) => {
          const set: unknown = settings.params?.[name];
          const text = written(set ?? own);
          return (
            <Fact key={name} name={title}>
              {text === "" ? <span className="muted">{t.nothing}</span> : <code>{text}</code>}{" "}
              {set === undefined && <span className="muted">{isRequired ? t.required : t.own}</span>}
            </Fact>
          );
        })}
        <Fact name={t.excluded}>
          {left.length === 0 ? <span className="muted">{t.nothing}</span> : left.join(", ")}{" "}
          {settings.excluded_namespaces == null && <span className="muted">{t.own}</span>}
        </Fact>
      </dl>
      {settings.author != null && settings.changed != null && (
        <p className="muted">
          {t.changedBy(settings.author)} <Time at={settings.changed} />
        </p>
      )}
      <History recommendation={settings.recommendation} />
    </>
  );
}

function History({ recommendation }: { recommendation: string }) {
  const [isOpen, setOpen] = useState(false);
  const { data, error } = useQuery({ ...settingsHistoryQuery(recommendation), enabled: isOpen });
  return (
    <details className="settings-history" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t.history}</summary>
      {error !== null ? (
        <FormError error={error} />
      ) : data === undefined ? (
        <Skeleton rows={2} />
      ) : data.changes.length === 0 ? (
        <p className="muted">{t.noHistory}</p>
      ) : (
        <ul>
          {data.changes.map(({ at, author, set }, row) => (
            <li key={row}>
              <Time at={at} /> {author}: {set == null ? t.wasReset : <code>{told(set)}</code>}
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

/** Settings in one line. */
function told({ params = {}, excluded_namespaces: left, enabled }: NewRecommendationSettings): string {
  const parts = Object.entries(params).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  if (left != null) parts.push(t.leaves(left));
  if (enabled != null) parts.push(enabled ? t.on : t.off);
  return parts.length === 0 ? t.asItself : parts.join("; ");
}

function Reset({ recommendation }: { recommendation: string }) {
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const reset = useMutation({
    mutationFn: () => done(api.DELETE("/api/v1/recommendations/{id}/settings", { params: { path: { id: recommendation } } })),
    onSuccess: () => {
      notify(t.resetDone);
      return client.invalidateQueries({ queryKey: keys.posture });
    },
    onSettled: () => setAsking(false),
  });
  return (
    <>
      <button type="button" className="button is-small" onClick={() => setAsking(true)}>
        {t.reset}
      </button>
      {isAsking && (
        <Confirm
          title={t.resetTitle}
          text={t.resetText}
          verb={t.reset}
          isBusy={reset.isPending}
          onConfirm={() => reset.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
