// The signed-in user's password and session.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { FormEvent } from "react";

import type { Session } from "../api/types";
import { Setting } from "../components/setting";
import { FormError } from "../components/states";
import { UserName } from "../components/user-name";
import { notify } from "../lib/messages";
import { changePassword, MIN_PASSWORD } from "../lib/password";
import { signOut } from "../lib/sign-out";
import { roleName } from "../lib/words";
import { strings } from "../strings";

export function PasswordSettings({ session }: { session: Session }) {
  const t = strings.settings.password;
  const client = useQueryClient();
  const change = useMutation({
    meta: { showsError: true },
    mutationFn: (body: { current: string; new: string }) => changePassword(client, body),
    onSuccess: () => notify(t.saved),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    change.mutate(
      { current: String(fields.get("current")), new: String(fields.get("new")) },
      { onSuccess: () => form.reset() },
    );
  };
  return (
    <Setting title={t.title}>
      <form className="inline-form" onSubmit={submit}>
        <UserName name={session.user.name} />
        <label className="field">
          {t.current}
          <input className="input" name="current" type="password" autoComplete="current-password" required />
        </label>
        <label className="field">
          {t.new}
          <input className="input" name="new" type="password" autoComplete="new-password" minLength={MIN_PASSWORD} required />
        </label>
        <button type="submit" className="button" disabled={change.isPending}>
          {t.save}
        </button>
      </form>
      <p className="muted">{strings.signIn.newPasswordHint}</p>
      <FormError error={change.error} />
    </Setting>
  );
}

export function SessionSettings({ session }: { session: Session }) {
  const t = strings.settings.session;
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: () => signOut(client),
    onSuccess: () => navigate({ to: "/sign-in" }),
  });
  return (
    <Setting title={t.title}>
      <div className="setting-actions">
        <span>{t.signedInAs(session.user.name, roleName(session.user.role).toLowerCase())}</span>
        <button type="button" className="button" disabled={leave.isPending} onClick={() => leave.mutate()}>
          {t.signOut}
        </button>
      </div>
    </Setting>
  );
}
