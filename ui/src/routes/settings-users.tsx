// Users, for owners.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";

import { api, data } from "../api/client";
import { keys, usersQuery } from "../api/queries";
import { Time } from "../components/bits";
import { Secret } from "../components/secret";
import { Setting } from "../components/setting";
import { ErrorState, FormError, Skeleton } from "../components/states";
import { roleName } from "../lib/words";
import { strings } from "../strings";

const ROLES = ["reader", "operator", "security_admin", "owner"] as const;
const t = strings.settings.users;

export function UserSettings() {
  const client = useQueryClient();
  const users = useQuery(usersQuery);
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: (body: { name: string; role: string }) => data(api.POST("/api/v1/users", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.users }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    create.mutate(
      { name: String(fields.get("name")).trim(), role: String(fields.get("role")) },
      { onSuccess: () => form.reset() },
    );
  };
  return (
    <Setting title={t.title} lead={t.lead}>
      <form className="inline-form" onSubmit={submit}>
        <label className="field">
          {t.name}
          <input className="input" name="name" maxLength={64} required autoComplete="off" autoCapitalize="none" />
        </label>
        <label className="field">
          {t.role}
          <select name="role" defaultValue="reader">
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {t.roles[role]}: {t.roleHints[role]}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="button" disabled={create.isPending}>
          {t.create}
        </button>
      </form>
      <FormError error={create.error} />
      {users.isError ? (
        <ErrorState error={users.error} retry={() => void users.refetch()} />
      ) : users.data === undefined ? (
        <Skeleton rows={2} />
      ) : (
        <table className="small-table">
          <thead>
            <tr>
              <th scope="col">{t.columns.name}</th>
              <th scope="col">{t.columns.role}</th>
              <th scope="col">{t.columns.created}</th>
            </tr>
          </thead>
          <tbody>
            {users.data.users.map(({ name, role, created }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{roleName(role)}</td>
                <td>
                  <Time at={created} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {create.data !== undefined && (
        <Secret
          title={t.linkTitle}
          text={t.linkText(create.data.user.name)}
          label={t.link}
          secret={window.location.origin + create.data.sign_in_path}
          onClose={create.reset}
        />
      )}
    </Setting>
  );
}
