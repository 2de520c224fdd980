// API tokens of the signed-in user.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { api, data, done } from "../api/client";
import { keys, tokensQuery } from "../api/queries";
import type { Token } from "../api/types";
import { Time } from "../components/bits";
import { Icon } from "../components/icon";
import { Loaded } from "../components/loaded";
import { Removal } from "../components/removal";
import { Secret } from "../components/secret";
import { Setting } from "../components/setting";
import { FormError } from "../components/states";
import { strings } from "../strings";

const DAYS = [30, 90, 365, 1095];
const t = strings.settings.tokens;

export function TokenSettings() {
  const client = useQueryClient();
  const tokens = useQuery(tokensQuery);
  const [doomed, setDoomed] = useState<Token>();
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: (body: { name: string; days: number }) => data(api.POST("/api/v1/tokens", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    create.mutate(
      { name: String(fields.get("name")).trim(), days: Number(fields.get("days")) },
      { onSuccess: () => form.reset() },
    );
  };
  const secret = create.data?.secret;
  return (
    <Setting title={t.title} lead={t.lead}>
      <form className="inline-form" onSubmit={submit}>
        <label className="field">
          {t.name}
          <input className="input" name="name" maxLength={100} required autoComplete="off" />
        </label>
        <label className="field">
          {t.days}
          <select name="days" defaultValue={90}>
            {DAYS.map((days) => (
              <option key={days} value={days}>
                {t.dayOptions(days)}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="button" disabled={create.isPending}>
          {t.create}
        </button>
      </form>
      <FormError error={create.error} />
      <Loaded query={tokens} rows={2}>
        {({ tokens: all }) => (all.length === 0 ? <p className="muted">{t.empty}</p> : <Table tokens={all} onDelete={setDoomed} />)}
      </Loaded>
      {secret != null && (
        <Secret title={t.secretTitle} text={t.secretText} label={t.secret} secret={secret} onClose={create.reset} />
      )}
      <Removal
        item={doomed}
        title={t.deleteTitle}
        text={({ name }) => t.deleteText(name)}
        verb={strings.common.delete}
        remove={({ id }) => done(api.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }))}
        told={t.deleted}
        stale={keys.tokens}
        onClose={() => setDoomed(undefined)}
      />
    </Setting>
  );
}

function Table({ tokens, onDelete }: { tokens: Token[]; onDelete: (token: Token) => void }) {
  return (
    <table className="small-table">
      <thead>
        <tr>
          <th scope="col">{t.columns.name}</th>
          <th scope="col">{t.columns.created}</th>
          <th scope="col">{t.columns.expires}</th>
          <th scope="col">{t.columns.used}</th>
          <th scope="col">
            <span className="visually-hidden">{t.columns.action}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <tr key={token.id}>
            <td>{token.name}</td>
            <td>
              <Time at={token.created} />
            </td>
            <td>{token.expires == null ? strings.common.never : <Time at={token.expires} />}</td>
            <td>{token.last_used == null ? strings.common.never : <Time at={token.last_used} />}</td>
            <td className="is-end">
              <button
                type="button"
                className="button icon-button"
                aria-label={`${strings.common.delete} ${token.name}`}
                title={strings.common.delete}
                onClick={() => onDelete(token)}
              >
                <Icon name="trash" />
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
