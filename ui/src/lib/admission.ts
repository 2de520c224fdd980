// A policy of admission as the page shows and changes it; its form is `docs/reference/admission-policy.md`.

export const MODES = ["off", "audit", "warn", "deny"] as const;
export type Mode = (typeof MODES)[number];

export type Policy = Record<string, unknown>;

/** What a policy says of one recommendation. */
export interface Rule {
  /** Nothing where the policy's own mode holds. */
  mode: Mode | undefined;
  namespaces: [name: string, mode: Mode][];
  excluded: string[] | undefined;
  hasParameters: boolean;
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
    hasParameters: isRecord(rule.parameters) && Object.keys(rule.parameters).length > 0,
  };
}

/** The policy with another mode of one recommendation; nothing stands for the policy's own. All else stays. */
export function withMode(policy: Policy, id: string, next: Mode | undefined): Policy {
  const rules = isRecord(policy.recommendations) ? policy.recommendations : {};
  const rule = isRecord(rules[id]) ? rules[id] : {};
  return { ...policy, recommendations: { ...rules, [id]: { ...rule, mode: next ?? null } } };
}

/** Whether a recommendation is off because nobody named its mode, or gave it parameters where these are enough. */
export const isWaiting = (waits: boolean, aboutScans: boolean, rule: Rule): boolean =>
  waits && rule.mode === undefined && (aboutScans || !rule.hasParameters);
