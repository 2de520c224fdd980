// A connector to add: who asks, and where the secret lies. No secret is typed here.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { api, data } from "../api/client";
import { keys } from "../api/queries";
import type { ConnectorCredentials, NewConnector } from "../api/types";
import { Dialog } from "../components/dialog";
import { FormError } from "../components/states";
import { cloudStrings } from "../cloud-strings";
import { notify } from "../lib/messages";
import { strings } from "../strings";

const t = cloudStrings.form;
const KINDS = ["managed_identity", "workload_identity", "secret_file", "secret_variable", "certificate_file"] as const;
const CLOUDS = ["public", "government", "china", "custom"] as const;

type Kind = (typeof KINDS)[number];

export function ConnectorForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [kind, setKind] = useState<Kind>("managed_identity");
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: (body: NewConnector) => data(api.POST("/api/v1/connectors", { body })),
    onSuccess: () => {
      notify(t.added);
      onClose();
      return client.invalidateQueries({ queryKey: keys.posture });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(connector(kind, new FormData(event.currentTarget)));
  };
  const isPrincipal = kind !== "managed_identity" && kind !== "workload_identity";
  return (
    <Dialog title={t.title} onClose={onClose} className="connect-dialog">
      <form className="connect-form" onSubmit={submit}>
        <label className="field">
          {t.name}
          <input className="input" name="name" maxLength={100} required autoComplete="off" />
        </label>
        <label className="field">
          {t.cloud}
          <select name="cloud" defaultValue="public">
            {CLOUDS.map((cloud) => (
              <option key={cloud} value={cloud}>
                {cloudStrings.connect.clouds[cloud]}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t.credentials}
          <select value={kind} onChange={({ target }) => setKind(KINDS.find((one) => one === target.value) ?? kind)} aria-describedby="connect-hint">
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {cloudStrings.credentials[one]}
              </option>
            ))}
          </select>
        </label>
        <p id="connect-hint" className="muted">
          {cloudStrings.hints[kind]}
        </p>
        {isPrincipal && (
          <label className="field">
            {t.tenant}
            <input className="input is-mono" name="tenant" maxLength={128} required autoComplete="off" spellCheck={false} />
          </label>
        )}
        {kind !== "workload_identity" && (
          <label className="field">
            {isPrincipal ? t.client : t.clientOptional}
            <input className="input is-mono" name="client" maxLength={128} required={isPrincipal} autoComplete="off" spellCheck={false} />
          </label>
        )}
        {(kind === "secret_file" || kind === "certificate_file") && (
          <label className="field">
            {t.file}
            <input className="input is-mono" name="file" maxLength={200} required autoComplete="off" spellCheck={false} />
          </label>
        )}
        {kind === "secret_variable" && (
          <label className="field">
            {t.variable}
            <input
              className="input is-mono"
              name="variable"
              maxLength={200}
              pattern="AZURE_[A-Z0-9_]+"
              placeholder="AZURE_CLIENT_SECRET"
              required
              autoComplete="off"
              spellCheck={false}
            />
          </label>
        )}
        <label className="field">
          {t.subscriptions}
          <input className="input" name="subscriptions" placeholder={t.subscriptionsHint} autoComplete="off" spellCheck={false} />
        </label>
        <label className="field">
          {t.every}
          <input className="input" name="every" type="number" min={0} max={720} defaultValue={6} required />
        </label>
        <FormError error={create.error} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            {strings.common.cancel}
          </button>
          <button type="submit" className="button is-primary" disabled={create.isPending}>
            {t.add}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function connector(kind: Kind, fields: FormData): NewConnector {
  const text = (name: string) => {
    const value = fields.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const subscriptions = text("subscriptions").split(",").map((one) => one.trim());
  return {
    kind: "azure",
    name: text("name"),
    cloud: text("cloud"),
    credentials: credentials(kind, text),
    subscriptions: subscriptions.filter((one) => one !== ""),
    every_hours: Number(text("every")),
  };
}

function credentials(kind: Kind, text: (name: string) => string): ConnectorCredentials {
  const principal = { tenant: text("tenant"), client: text("client") };
  switch (kind) {
    case "managed_identity":
      return { kind, client: text("client") || undefined };
    case "workload_identity":
      return { kind };
    case "secret_file":
    case "certificate_file":
      return { kind, ...principal, file: text("file") };
    case "secret_variable":
      return { kind, ...principal, variable: text("variable") };
  }
}
