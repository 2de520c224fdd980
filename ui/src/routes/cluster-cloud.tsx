// What a cluster is in its cloud: found, or chosen by somebody.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { api, done } from "../api/client";
import { cloudAssetsQuery } from "../api/cloud-queries";
import { keys } from "../api/queries";
import type { ClusterCloud, ClusterDetail } from "../api/types";
import { clusterStrings } from "../cluster-strings";
import { Fact } from "../components/bits";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { FormError, Skeleton } from "../components/states";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";

const t = clusterStrings.cluster;
const FOUND = "found";
const NONE = "none";

export function CloudSide({ cluster }: { cluster: ClusterDetail }) {
  const mayChoose = useMay("operator");
  const { data } = useQuery(cloudAssetsQuery);
  const [isOpen, setOpen] = useState(false);
  const { cloud } = cluster;
  const hasChoice = data?.assets.some(({ kind }) => kind === "kubernetes-cluster") ?? false;
  // Whoever has no connector is not bothered with it.
  if (cloud == null && !hasChoice) return null;
  return (
    <Fact name={t.cloud}>
      {cloud?.asset == null ? (
        <span className="muted">{t.noCloud}</span>
      ) : (
        <Link to="/connect/$id" params={{ id: String(cloud.asset) }} search={{}} title={cloud.cloud_id ?? undefined}>
          {cloud.name}
        </Link>
      )}{" "}
      {cloud != null && <span className="muted">({reason(cloud)})</span>}
      {mayChoose && hasChoice && (
        <button type="button" className="button is-small" onClick={() => setOpen(true)}>
          {t.choose}
        </button>
      )}
      {isOpen && <Choose cluster={cluster} onClose={() => setOpen(false)} />}
    </Fact>
  );
}

function reason({ how, author }: ClusterCloud): string {
  if (author != null) return t.chosenBy(author);
  const names: Readonly<Record<string, string>> = t.how;
  return names[how] ?? how;
}

function Choose({ cluster, onClose }: { cluster: ClusterDetail; onClose: () => void }) {
  const client = useQueryClient();
  const { data, error } = useQuery(cloudAssetsQuery);
  const path = { id: cluster.id };
  const save = useMutation({
    meta: { showsError: true },
    mutationFn: (choice: string) =>
      choice === FOUND
        ? done(api.DELETE("/api/v1/clusters/{id}/cloud", { params: { path } }))
        : done(api.PUT("/api/v1/clusters/{id}/cloud", { params: { path }, body: { asset: choice === NONE ? null : Number(choice) } })),
    onSuccess: () => {
      notify(t.chosenDone);
      onClose();
      return client.invalidateQueries({ queryKey: keys.posture });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(String(new FormData(event.currentTarget).get("cloud")));
  };
  const { cloud } = cluster;
  const now = cloud?.author == null ? FOUND : cloud.asset == null ? NONE : String(cloud.asset);
  return (
    <Dialog title={t.chooseTitle} onClose={onClose}>
      <p className="muted">{t.chooseLead}</p>
      {data === undefined ? (
        error === null ? <Skeleton rows={2} /> : <FormError error={error} />
      ) : (
        <form className="form" onSubmit={submit}>
          <label className="field">
            {t.cloud}
            <select name="cloud" defaultValue={now}>
              <option value={FOUND}>{t.chooseFound}</option>
              <option value={NONE}>{t.chooseNone}</option>
              {data.assets
                .filter(({ kind }) => kind === "kubernetes-cluster")
                .map(({ id, name, cloud_id: whole, part_of: part }) => (
                  <option key={id} value={id} title={whole}>
                    {name}
                    {part != null && part.id !== cluster.id && ` (${t.choosePart(part.name)})`}
                  </option>
                ))}
            </select>
          </label>
          <FormActions error={save.error} verb={t.save} isBusy={save.isPending} onClose={onClose} />
        </form>
      )}
    </Dialog>
  );
}
