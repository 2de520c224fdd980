// Says that the built-in advisories are few, for as long as that is so.

import type { Status } from "../api/types";
import { useMay } from "../lib/role";
import { useUpdateDatabase } from "../lib/update-database";
import { strings } from "../strings";
import { Command } from "./bits";
import { Icon } from "./icon";

export function StarterBanner({ status }: { status: Status | undefined }) {
  const update = useUpdateDatabase();
  const mayUpdate = useMay("operator");
  if (status?.database.kind !== "starter") return null;
  return (
    <div className="banner is-warning" role="note">
      <Icon name="warning" />
      <p>
        {strings.starter.text(status.database.advisories)}
        {status.update_problem != null && <> {strings.settings.database.updateProblem(status.update_problem)}</>}
      </p>
      {mayUpdate && (
        <span className="banner-actions">
          <button type="button" className="button" disabled={update.isPending || status.updating} onClick={() => update.mutate()}>
            {strings.starter.action}
          </button>
          <span className="banner-or">{strings.starter.or}</span>
          <Command text={strings.starter.command} />
        </span>
      )}
    </div>
  );
}
