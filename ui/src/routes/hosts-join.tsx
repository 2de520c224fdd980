// The command by which machines join.

import { useMutation } from "@tanstack/react-query";

import { api, data } from "../api/client";
import { Secret } from "../components/secret";
import { FormError } from "../components/states";
import { hostStrings } from "../host-strings";
import { useMay } from "../lib/role";

const t = hostStrings.hosts;

export function JoinCommand() {
  const mayJoin = useMay("security_admin");
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: () => data(api.POST("/api/v1/join-tokens", { body: { name: t.title, hours: 24 } })),
  });
  if (!mayJoin) return <p className="muted">{t.joinForbidden}</p>;
  const secret = create.data?.secret;
  return (
    <>
      <button type="button" className="button is-primary" disabled={create.isPending} onClick={() => create.mutate()}>
        {t.joinCreate}
      </button>
      <FormError error={create.error} />
      {secret != null && (
        <Secret
          title={t.joinTitle}
          text={t.joinText}
          label={t.command}
          secret={`SEAREEVE_JOIN_TOKEN=${secret} seareeve sensor --server ${window.location.origin}`}
          onClose={create.reset}
        />
      )}
    </>
  );
}
