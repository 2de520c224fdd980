// Which cluster whose configuration is judged the events are of: found out, or said by somebody.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { alertStrings } from "../alert-strings";
import { allClustersQuery } from "../api/cluster-queries";
import { api, data } from "../api/client";
import { keys } from "../api/queries";
import type { AuditCluster, AuditJoin } from "../api/types";
import { notify } from "../lib/messages";

const t = alertStrings.audit;
const FOUND_OUT = "found_out";
const NONE = "none";

export function Same({ cluster: { name, cluster: same }, mayChange }: { cluster: AuditCluster; mayChange: boolean }) {
  const client = useQueryClient();
  const known = useQuery({ ...allClustersQuery, enabled: mayChange });
  const join = useMutation({
    mutationFn: (body: AuditJoin) => data(api.PUT("/api/v1/audit/clusters/{name}/cluster", { params: { path: { name } }, body })),
    onSuccess: () => notify(t.joined),
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
  const choose = (value: string) => join.mutate(value === FOUND_OUT || value === NONE ? { is: value } : { is: "cluster", id: Number(value) });
  return (
    <p>
      {t.same}{" "}
      {same == null ? (
        <span className="muted">{t.sameUnknown}</span>
      ) : (
        <>
          <Link to="/clusters/$id" params={{ id: String(same.id) }} search={{}}>
            {same.name}
          </Link>{" "}
          <span className="muted">({t.knownBy[same.known_by] ?? same.known_by})</span>
        </>
      )}{" "}
      {mayChange && (known.data?.clusters.length ?? 0) > 0 && (
        <select aria-label={`${t.sameChoose}: ${name}`} value="" disabled={join.isPending} onChange={(event) => choose(event.target.value)}>
          <option value="" disabled>
            {t.sameChoose}
          </option>
          <option value={FOUND_OUT}>{t.sameFoundOut}</option>
          <option value={NONE}>{t.sameNone}</option>
          {known.data?.clusters.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      )}
    </p>
  );
}
