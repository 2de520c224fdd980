// A policy of admission as the page shows and changes it; its form is `docs/reference/admission-policy.md`.

export const MODES = ["off", "audit", "warn", "deny"] as const;
export type Mode = (typeof MODES)[number];

export type Policy = Record<string, unknown>;

/** What a policy says of one recommendation. */
export interface Rule {
  /** Nothing where the policy's own mode holds. */
  mode: Mode | undefined;
  namespaces: [name: string, mode: Mode][];
  /** Namespaces that are left out; nothing where those of the recommendation are. */
  excluded: string[] | undefined;
  /** Values that differ from the recommendation's own. */
  parameters: Record<string, unknown>;
  /** What becomes of images that were not scanned. */
  unscanned: Mode | undefined;
}

/** What a policy says of all recommendations. */
export interface General {
  mode: Mode;
  updates: "introduced" | "all";
  /** What becomes of what could not be judged. */
  unchecked: "admit" | "deny";
  excluded: string[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const mode = (value: unknown): Mode | undefined => MODES.find((one) => one === value);

const texts = (value: unknown): string[] | undefined =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : undefined;

/** The mode of recommendations that have none of their own. */
export const policyMode = (policy: Policy): Mode => mode(policy.mode) ?? "audit";

export function ruleOf(policy: Policy, id: string): Rule {
  const rules = isRecord(policy.recommendations) ? policy.recommendations : {};
  const rule = isRecord(rules[id]) ? rules[id] : {};
  const namespaces = isRecord(rule.namespaces) ? Object.entries(rule.namespaces) : [];
  return {
    mode: mode(rule.mode),
    namespaces: namespaces.flatMap(([name, value]) => {
      const known = mode(value);
      return known === undefined ? [] : [[name, known] as [string, Mode]];
    }),
    excluded: texts(rule.excluded_namespaces),
    parameters: isRecord(rule.parameters) ? rule.parameters : {},
    unscanned: mode(rule.unscanned),
  };
}

/** The policy with this said of one recommendation. What it says beside that, of containers and images, stays. */
export function withRule(policy: Policy, id: string, next: Rule): Policy {
  const rules = isRecord(policy.recommendations) ? policy.recommendations : {};
  const rule = isRecord(rules[id]) ? rules[id] : {};
  const changed = {
    ...rule,
    mode: next.mode ?? null,
    namespaces: Object.fromEntries(next.namespaces),
    excluded_namespaces: next.excluded ?? null,
    parameters: next.parameters,
    unscanned: next.unscanned ?? null,
  };
  return { ...policy, recommendations: { ...rules, [id]: changed } };
}

export const generalOf = (policy: Policy): General => ({
  mode: policyMode(policy),
  updates: policy.updates === "all" ? "all" : "introduced",
  unchecked: policy.unchecked === "deny" ? "deny" : "admit",
  excluded: texts(policy.excluded_namespaces) ?? [],
});

/** The policy with this said of all recommendations; all else stays. */
export const withGeneral = (policy: Policy, { excluded, ...general }: General): Policy => ({
  ...policy,
  ...general,
  excluded_namespaces: excluded,
});

/** The policy with another mode of one recommendation; nothing stands for the policy's own. All else stays. */
export function withMode(policy: Policy, id: string, next: Mode | undefined): Policy {
  const rules = isRecord(policy.recommendations) ? policy.recommendations : {};
  const rule = isRecord(rules[id]) ? rules[id] : {};
  return { ...policy, recommendations: { ...rules, [id]: { ...rule, mode: next ?? null } } };
}

const hasParameters = ({ parameters }: Rule): boolean => Object.keys(parameters).length > 0;

/** Whether a recommendation is off because nobody named its mode, or gave it parameters where these are enough. */
export const isWaiting = (waits: boolean, aboutScans: boolean, rule: Rule): boolean =>
  waits && rule.mode === undefined && (aboutScans || !hasParameters(rule));

/** Whether a time has come; one that nobody named has not. */
export const hasCome = (time: string | null | undefined, nowMs: number): boolean =>
  time != null && Date.parse(time) <= nowMs;
