// The advisory database: how good it is, and how to make it better.

import { useQuery } from "@tanstack/react-query";

import { statusQuery } from "../api/queries";
import type { Database } from "../api/types";
import { Command, Digest, ExactTime, Fact, Time } from "../components/bits";
import { Icon } from "../components/icon";
import { Setting } from "../components/setting";
import { ErrorState, Skeleton } from "../components/states";
import { count, duration } from "../lib/format";
import { useMay } from "../lib/role";
import { isStale } from "../lib/stale";
import { useUpdateDatabase } from "../lib/update-database";
import { strings } from "../strings";

const t = strings.settings.database;

export function DatabaseSettings() {
  const { data: status, error, refetch } = useQuery(statusQuery);
  const update = useUpdateDatabase();
  const mayUpdate = useMay("operator");
  return (
    <Setting title={t.title} lead={t.lead}>
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : status === undefined ? (
        <Skeleton rows={4} />
      ) : (
        <>
          <Facts database={status.database} />
          {status.updating && <p role="status">{t.updating}</p>}
          {status.update_problem != null && (
            <p className="warning-text">
              <Icon name="warning" /> {t.updateProblem(status.update_problem)}
            </p>
          )}
          {status.rematching && <p role="status">{t.rematching}</p>}
          {status.jobs_dead > 0 && <p className="warning-text">{t.deadJobs(status.jobs_dead)}</p>}
          <div className="setting-actions">
            {mayUpdate ? (
              <button type="button" className="button is-primary" disabled={update.isPending || status.updating} onClick={() => update.mutate()}>
                {t.update}
              </button>
            ) : (
              <span className="muted">{strings.roles.update}</span>
            )}
            <span className="muted">{strings.starter.or}</span>
            <Command text={strings.starter.command} />
          </div>
          <Sources database={status.database} />
          <p className="muted">{strings.footer.version(status.version)}</p>
        </>
      )}
    </Setting>
  );
}

function Facts({ database }: { database: Database }) {
  const age = Date.now() - Date.parse(database.built);
  return (
    <>
      {isStale(database.built, Date.now()) && (
        <p className="warning-text">
          <Icon name="warning" /> {strings.footer.stale(duration(age))}
        </p>
      )}
      <dl className="facts">
        <Fact name={database.kind === "starter" ? t.kind.starter : t.kind.full}>{count(database.advisories)}</Fact>
        <Fact name={t.built}>
          <ExactTime at={database.built} /> · <Time at={database.built} />
        </Fact>
        <Fact name={t.digest}>
          <Digest value={database.digest} />
        </Fact>
      </dl>
    </>
  );
}

function Sources({ database }: { database: Database }) {
  return (
    <table className="small-table">
      <thead>
        <tr>
          <th scope="col">{t.columns.ecosystem}</th>
          <th scope="col" className="is-end">
            {t.columns.advisories}
          </th>
          <th scope="col">{t.columns.newest}</th>
        </tr>
      </thead>
      <tbody>
        {database.sources.map(({ ecosystem, advisories, newest }) => (
          <tr key={ecosystem}>
            <td>{ecosystem}</td>
            <td className="is-end">{count(advisories)}</td>
            <td>{newest == null ? strings.common.unknown : <Time at={newest} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
