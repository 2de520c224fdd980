// Signing in: by one-time link, by name and password, and choosing the first password.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useEffect, useState, type FormEvent } from "react";

import { api, data } from "../api/client";
import { changeSession, remember, sessionQuery } from "../api/queries";
import type { Session } from "../api/types";
import { useTitle } from "../components/bits";
import { Mark } from "../components/icon";
import { UserName } from "../components/user-name";
import { FormError } from "../components/states";
import { localPath } from "../lib/address";
import { changePassword, MIN_PASSWORD } from "../lib/password";
import { strings } from "../strings";
import "./sign-in.css";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  useTitle(strings.signIn.title);
  const client = useQueryClient();
  const router = useRouter();
  const { to } = route.useSearch();
  const { data: session } = useQuery(sessionQuery);
  const link = useLink();

  const enter = (session: Session) => {
    changeSession(client, session);
    if (!session.password_needed) void router.navigate({ href: localPath(to), replace: true });
  };
  const signInByLink = useMutation({
    meta: { showsError: true },
    mutationFn: async (token: string) => remember(await data(api.POST("/api/v1/session/link", { body: { token } }))),
    onSuccess: enter,
  });
  const { mutate } = signInByLink;
  useEffect(() => {
    if (link !== undefined) mutate(link);
  }, [link, mutate]);

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <p className="sign-in-brand">
          <Mark />
          <span>{strings.product}</span>
        </p>
        {session?.password_needed === true ? (
          <ChoosePassword session={session} onDone={enter} />
        ) : link !== undefined && !signInByLink.isError ? (
          <p role="status">{strings.signIn.byLink}…</p>
        ) : (
          <>
            {signInByLink.isError && (
              <p className="form-error" role="alert">
                {strings.signIn.linkFailed}
              </p>
            )}
            <PasswordForm onDone={enter} />
          </>
        )}
      </div>
      <p className="sign-in-tagline">{strings.signIn.tagline}</p>
    </main>
  );
}

/** The secret of the link, taken out of the address at once: it must not stay in the history. */
function useLink(): string | undefined {
  const [token] = useState(() => new URLSearchParams(window.location.hash.slice(1)).get("token") ?? undefined);
  const router = useRouter();
  useEffect(() => {
    if (window.location.hash !== "") void router.navigate({ to: "/sign-in", search: true, hash: "", replace: true });
  }, [router]);
  return token;
}

interface FormProps {
  onDone: (session: Session) => void;
}

function PasswordForm({ onDone }: FormProps) {
  const signIn = useMutation({
    meta: { showsError: true },
    mutationFn: async (body: { name: string; password: string }) =>
      remember(await data(api.POST("/api/v1/session", { body }))),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    signIn.mutate({ name: String(fields.get("name")), password: String(fields.get("password")) });
  };
  return (
    <form onSubmit={submit} className="form">
      <h1>{strings.signIn.title}</h1>
      <label className="field">
        {strings.signIn.name}
        <input className="input" name="name" autoComplete="username" autoCapitalize="none" required autoFocus />
      </label>
      <label className="field">
        {strings.signIn.password}
        <input className="input" name="password" type="password" autoComplete="current-password" required />
      </label>
      <FormError error={signIn.error} />
      <button type="submit" className="button is-primary" disabled={signIn.isPending}>
        {strings.signIn.submit}
      </button>
      <p className="muted">
        {strings.signIn.hint} <code>{strings.signIn.hintCommand}</code>
      </p>
    </form>
  );
}

function ChoosePassword({ session, onDone }: FormProps & { session: Session }) {
  const client = useQueryClient();
  const [password, setPassword] = useState("");
  // The server counts characters, not code units.
  const missing = MIN_PASSWORD - [...password].length;
  const choose = useMutation({
    meta: { showsError: true },
    mutationFn: () => changePassword(client, { new: password }),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (missing <= 0) choose.mutate();
  };
  return (
    <form onSubmit={submit} className="form">
      <h1>{strings.signIn.chooseTitle}</h1>
      <p>{strings.signIn.chooseLead(session.user.name)}</p>
      <UserName name={session.user.name} />
      <label className="field">
        {strings.signIn.newPassword}
        <input
          className="input"
          type="password"
          autoComplete="new-password"
          minLength={MIN_PASSWORD}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          aria-describedby="password-hint"
          required
          autoFocus
        />
      </label>
      <p id="password-hint" className="muted">
        {password === "" || missing <= 0 ? strings.signIn.newPasswordHint : strings.signIn.tooShort(missing)}
      </p>
      <FormError error={choose.error} />
      <button type="submit" className="button is-primary" disabled={choose.isPending}>
        {strings.signIn.save}
      </button>
    </form>
  );
}
