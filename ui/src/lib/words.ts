// Names for words of the wire. A newer server may know words that we do not: they are shown as they are.

import { strings } from "../strings";

function lookUp(names: Readonly<Record<string, string>>, word: string): string {
  return Object.hasOwn(names, word) ? (names[word] ?? word) : word;
}

export function kindName(kind: string): string {
  return lookUp(strings.kind, kind);
}

export function statusName(status: string): string {
  return lookUp(strings.status, status);
}

export function severitySourceName(source: string): string {
  return lookUp(strings.severitySource, source);
}

/** Who says that a finding does not count. */
export function suppressedByName(by: string): string {
  return lookUp(strings.suppression.by, by);
}

export function vexStatusName(status: string): string {
  return lookUp(strings.vex.status, status);
}

export function confidenceName(confidence: string): string {
  return lookUp(strings.secrets.confidence, confidence);
}

export function roleName(role: string): string {
  return lookUp(strings.settings.users.roles, role);
}
