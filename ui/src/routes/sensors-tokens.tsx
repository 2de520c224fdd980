// The tokens by which sensors join: made, listed, revoked. Only security admins see them.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, data, done } from "../api/client";
import { joinTokensQuery } from "../api/estate-queries";
import { keys } from "../api/queries";
import type { JoinToken } from "../api/types";
import { Time } from "../components/bits";
import { Icon } from "../components/icon";
import { Loaded } from "../components/loaded";
import { Removal } from "../components/removal";
import { Secret } from "../components/secret";
import { FormError } from "../components/states";
import { estateStrings } from "../estate-strings";
import { useMay } from "../lib/role";

const t = estateStrings.sensors.tokens;
const HOURS = ["1", "24", "168", "720"] as const;

export function JoinTokens() {
  const mayChange = useMay("security_admin");
  return (
    <section className="panel" aria-labelledby="tokens-title">
      <header className="panel-header">
        <h2 id="tokens-title">{t.title}</h2>
      </header>
      <div className="panel-text join-tokens">
        <p className="muted">{mayChange ? t.lead : t.forbidden}</p>
        {mayChange && <Tokens />}
      </div>
    </section>
  );
}

function Tokens() {
  const client = useQueryClient();
  const list = useQuery(joinTokensQuery);
  const [doomed, setDoomed] = useState<JoinToken>();
  const refresh = () => client.invalidateQueries({ queryKey: joinTokensQuery.queryKey });
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: (body: { name: string; hours: number; most_uses: number | null; environment: string }) =>
      data(api.POST("/api/v1/join-tokens", { body })),
    onSuccess: refresh,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const uses = Number(fields.get("uses"));
    create.mutate(
      {
        name: String(fields.get("name")).trim(),
        hours: Number(fields.get("hours")),
        most_uses: uses > 0 ? uses : null,
        environment: String(fields.get("environment")).trim(),
      },
      { onSuccess: () => form.reset() },
    );
  };
  const secret = create.data?.secret;
  return (
    <>
      <form className="inline-form" onSubmit={submit}>
        <label className="field">
          {t.name}
          <input className="input" name="name" maxLength={100} required autoComplete="off" />
        </label>
        <label className="field">
          {estateStrings.environment}
          <input
            className="input"
            name="environment"
            defaultValue="default"
            pattern="[A-Za-z0-9._\-]{1,60}"
            title={estateStrings.asset.moveHint}
            required
            autoComplete="off"
          />
        </label>
        <label className="field">
          {t.hours}
          <select name="hours" defaultValue="24">
            {HOURS.map((hours) => (
              <option key={hours} value={hours}>
                {t.hourOptions[hours]}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t.uses}
          <input className="input" name="uses" type="number" min={1} placeholder={t.anyUses} />
        </label>
        <button type="submit" className="button is-primary" disabled={create.isPending}>
          {t.create}
        </button>
      </form>
      <FormError error={create.error} />
      <Loaded query={list} rows={2}>
        {({ tokens: all }) => (all.length === 0 ? <p className="muted">{t.empty}</p> : <Table tokens={all} onRevoke={setDoomed} />)}
      </Loaded>
      {secret != null && (
        <Secret
          title={t.secretTitle}
          text={t.secretText}
          label={t.command}
          secret={`SEAREEVE_JOIN_TOKEN=${secret} seareeve sensor --server ${window.location.origin}`}
          onClose={create.reset}
        />
      )}
      <Removal
        item={doomed}
        title={t.revokeTitle}
        text={({ name }) => t.revokeText(name)}
        verb={t.revoke}
        remove={({ id }) => done(api.DELETE("/api/v1/join-tokens/{id}", { params: { path: { id } } }))}
        told={t.revoked}
        stale={keys.posture}
        onClose={() => setDoomed(undefined)}
      />
    </>
  );
}

function Table({ tokens, onRevoke }: { tokens: JoinToken[]; onRevoke: (token: JoinToken) => void }) {
  const now = new Date().toISOString();
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label={t.title}>
      <table className="small-table">
        <thead>
          <tr>
            <th scope="col">{t.columns.name}</th>
            <th scope="col">{t.columns.environment}</th>
            <th scope="col" className="is-end">{t.columns.uses}</th>
            <th scope="col">{t.columns.expires}</th>
            <th scope="col">{t.columns.author}</th>
            <th scope="col">
              <span className="visually-hidden">{t.columns.action}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <td>{token.name}</td>
              <td>{token.environment}</td>
              <td className="is-end">{t.used(token.uses, token.most_uses)}</td>
              <td>
                <Time at={token.expires} /> {token.expires <= now && <span className="muted">{t.ended}</span>}
              </td>
              <td>{token.author}</td>
              <td className="is-end">
                <button type="button" className="button icon-button" aria-label={`${t.revoke} ${token.name}`} title={t.revoke} onClick={() => onRevoke(token)}>
                  <Icon name="trash" />
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
