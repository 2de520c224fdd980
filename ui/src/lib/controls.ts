// The order in which controls are looked at.

import { CONTROL_STATUSES } from "./host-filters";
import { asSeverity, SEVERITIES } from "./severity";

interface Judged {
  status: string;
  severity?: string | null | undefined;
  level: number;
}

/** What fails first, then what is open; of these the gravest, level 1 before level 2. The rest stays in the order of its
 * numbers. */
export function gravestFirst<Control extends Judged>(controls: readonly Control[]): Control[] {
  const statuses: readonly string[] = CONTROL_STATUSES;
  const rank = ({ status, severity, level }: Judged) =>
    [statuses.indexOf(status), SEVERITIES.indexOf(asSeverity(severity ?? "unknown")), level] as const;
  return controls
    .map((control) => ({ control, rank: rank(control) }))
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || a.rank[2] - b.rank[2])
    .map(({ control }) => control);
}

interface About {
  objects: readonly { kind: string; id: string; status: string }[];
}

/** The controls that say something of these statuses of a container, each with what it says there. */
export function ofContainer<Control extends Judged & About>(controls: readonly Control[], id: string, statuses: readonly string[]) {
  const said = gravestFirst(controls).map((control) => ({
    control,
    objects: control.objects.filter((one): one is Control["objects"][number] => one.kind === "docker.container" && one.id === id && statuses.includes(one.status)),
  }));
  return said.filter(({ objects }) => objects.length > 0);
}
