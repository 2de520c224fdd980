// A connector to add or to change: who asks, and where the secret lies. No secret is typed here.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type FormEvent } from "react";

import { ApiError, api, data } from "../api/client";
import { keys } from "../api/queries";
import type { Connector, ConnectorCredentials, NewConnector } from "../api/types";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { cloudStrings } from "../cloud-strings";
import { notify } from "../lib/messages";
import { Tested } from "./connect-tested";

const t = cloudStrings.form;
const KINDS = ["managed_identity", "workload_identity", "secret_file", "secret_variable", "certificate_file"] as const;
const CLOUDS = ["public", "government", "china", "custom"] as const;

type Kind = (typeof KINDS)[number];

interface Props {
  /** The one that is changed; a new one, if absent. */
  connector?: Connector;
  onClose: () => void;
}

export function ConnectorForm({ connector, onClose }: Props) {
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const before = connector?.credentials;
  const [kind, setKind] = useState<Kind>(before?.kind ?? "managed_identity");
  const save = useMutation({
    meta: { showsError: true },
    mutationFn: ({ kind: of, ...body }: NewConnector) =>
      connector === undefined
        ? data(api.POST("/api/v1/connectors", { body: { kind: of, ...body } }))
        : data(api.PATCH("/api/v1/connectors/{id}", { params: { path: { id: connector.id } }, body })),
    onSuccess: () => {
      notify(connector === undefined ? t.added : t.saved);
      onClose();
      return client.invalidateQueries({ queryKey: keys.posture });
    },
  });
  const test = useMutation({
    meta: { showsError: true },
    mutationFn: (body: NewConnector) => data(api.POST("/api/v1/connectors/test", { body })),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(written(kind, new FormData(event.currentTarget)));
  };
  const tryOut = () => {
    if (form.current?.reportValidity() === true) test.mutate(written(kind, new FormData(form.current)));
  };
  const error = save.error ?? test.error;
  const wrong = error instanceof ApiError ? error.field : undefined;
  // What the other ways to log in would not understand is not carried over.
  const told = (name: string) => (before?.kind === kind ? (before as Partial<Record<string, string | null>>)[name] ?? undefined : undefined);
  const isPrincipal = kind !== "managed_identity" && kind !== "workload_identity";
  return (
    <Dialog title={connector === undefined ? t.title : t.editTitle(connector.name)} onClose={onClose} className="connect-dialog">
      <form ref={form} className="connect-form" onSubmit={submit}>
        <label className="field">
          {t.name}
          <input className="input" name="name" defaultValue={connector?.name} maxLength={100} required autoComplete="off" aria-invalid={wrong === "name" || undefined} />
        </label>
        <label className="field">
          {t.cloud}
          <select name="cloud" defaultValue={connector?.cloud ?? "public"} aria-invalid={wrong === "cloud" || undefined}>
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
          <label className="field" key={`tenant ${kind}`}>
            {t.tenant}
            <input className="input is-mono" name="tenant" defaultValue={told("tenant")} aria-invalid={wrong === "credentials.tenant" || undefined} maxLength={128} required autoComplete="off" spellCheck={false} />
          </label>
        )}
        {kind !== "workload_identity" && (
          <label className="field">
            {isPrincipal ? t.client : t.clientOptional}
            <input className="input is-mono" name="client" defaultValue={told("client")} aria-invalid={wrong === "credentials.client" || undefined} maxLength={128} required={isPrincipal} autoComplete="off" spellCheck={false} />
          </label>
        )}
        {(kind === "secret_file" || kind === "certificate_file") && (
          <label className="field">
            {t.file}
            <input className="input is-mono" name="file" defaultValue={told("file")} aria-invalid={wrong === "credentials.file" || undefined} maxLength={200} required autoComplete="off" spellCheck={false} />
          </label>
        )}
        {kind === "secret_variable" && (
          <label className="field">
            {t.variable}
            <input
              className="input is-mono"
              name="variable"
              defaultValue={told("variable")}
              aria-invalid={wrong === "credentials.variable" || undefined}
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
          <input className="input" name="subscriptions" defaultValue={connector?.subscriptions.join(", ")} aria-invalid={wrong === "subscriptions" || undefined} placeholder={t.subscriptionsHint} autoComplete="off" spellCheck={false} />
        </label>
        <label className="field">
          {t.every}
          <input className="input" name="every" type="number" min={0} max={720} defaultValue={connector?.every_hours ?? 6} aria-invalid={wrong === "every_hours" || undefined} required />
        </label>
        {test.data !== undefined && !test.isPending && <Tested test={test.data} />}
        <FormActions error={error} verb={connector === undefined ? t.add : t.save} isBusy={save.isPending} onClose={onClose}>
          <button type="button" className="button" disabled={test.isPending} onClick={tryOut}>
            {test.isPending ? cloudStrings.connect.testing : t.test}
          </button>
        </FormActions>
      </form>
    </Dialog>
  );
}

/** What the form says. */
function written(kind: Kind, fields: FormData): NewConnector {
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
