// The commands by which a cluster is watched.

import { useMutation } from "@tanstack/react-query";

import { api, data } from "../api/client";
import { CopyButton } from "../components/bits";
import { Dialog } from "../components/dialog";
import { FormError } from "../components/states";
import { clusterStrings } from "../cluster-strings";
import { useMay } from "../lib/role";

const t = clusterStrings.clusters;

export function JoinCluster() {
  const mayJoin = useMay("security_admin");
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: () => data(api.POST("/api/v1/join-tokens", { body: { name: t.title, hours: 24 } })),
  });
  if (!mayJoin) return <p className="muted">{t.joinForbidden}</p>;
  const secret = create.data?.secret;
  const server = window.location.origin;
  return (
    <>
      <button type="button" className="button is-primary" disabled={create.isPending} onClick={() => create.mutate()}>
        {t.joinCreate}
      </button>
      <FormError error={create.error} />
      {secret != null && (
        <Dialog title={t.joinTitle} onClose={create.reset}>
          <p>{t.joinText}</p>
          <Command
            name={t.helm}
            text={[
              "kubectl create namespace seareeve",
              `kubectl -n seareeve create secret generic seareeve-join --from-literal=token=${secret}`,
              "helm install seareeve deploy/helm/seareeve -n seareeve \\",
              "  --set server.enabled=false --set observer.enabled=true \\",
              `  --set address=${server} --set clusterName=NAME --set joinSecret=seareeve-join`,
            ].join("\n")}
          />
          <Command name={t.beside} text={`SEAREEVE_JOIN_TOKEN=${secret} seareeve sensor --kubernetes --server ${server}`} />
          <div className="dialog-actions">
            <button type="button" className="button is-primary" onClick={create.reset}>
              {t.done}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Command({ name, text }: { name: string; text: string }) {
  return (
    <div className="join-command">
      <h3>{name}</h3>
      <div className="control-code">
        {/* A long line scrolls, so the keyboard must reach it. */}
        <pre tabIndex={0} aria-label={name}>
          {text}
        </pre>
        <CopyButton text={text} what={name} />
      </div>
    </div>
  );
}
