// What a user chose for this browser: theme, density, clock. Kept in local storage; a browser that forbids it only
// forgets.

import { useSyncExternalStore } from "react";

import { oneOf } from "./address";

export const CHOICES = {
  theme: ["system", "light", "dark"],
  density: ["comfortable", "compact"],
  clock: ["local", "utc"],
} as const;

export type Name = keyof typeof CHOICES;
export type Preferences = { [N in Name]: (typeof CHOICES)[N][number] };

const KEY = "seareeve.preferences";

let current: Preferences = load();
const listeners = new Set<() => void>();

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current);
}

export function setPreference<N extends Name>(name: N, value: Preferences[N]): void {
  current = { ...current, [name]: value };
  try {
    window.localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Forbidden or full: the choice holds until the page is left.
  }
  show();
  for (const listener of listeners) listener();
}

/** Puts the choices where the styles see them. */
export function show(): void {
  const { dataset } = document.documentElement;
  dataset.theme = current.theme;
  dataset.density = current.density;
}

/** Reads what was stored; anything strange is replaced by the first choice. */
export function parse(stored: string | null): Preferences {
  let values: unknown;
  try {
    values = JSON.parse(stored ?? "{}");
  } catch {
    values = {};
  }
  const value = (name: Name): unknown =>
    typeof values === "object" && values !== null ? Reflect.get(values, name) : undefined;
  return {
    theme: oneOf(CHOICES.theme, value("theme")) ?? "system",
    density: oneOf(CHOICES.density, value("density")) ?? "comfortable",
    clock: oneOf(CHOICES.clock, value("clock")) ?? "local",
  };
}

function load(): Preferences {
  try {
    return parse(globalThis.localStorage?.getItem(KEY) ?? null);
  } catch {
    return parse(null);
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
