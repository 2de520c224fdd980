// Short messages: heard by all (`announce`), or also seen for a moment (`notify`).

import { useSyncExternalStore } from "react";

export interface Message {
  id: number;
  text: string;
  isVisible: boolean;
}

const SHOWN_MS = 5000;

let messages: readonly Message[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

export function announce(text: string): void {
  add(text, false);
}

export function notify(text: string): void {
  add(text, true);
}

export function useMessages(): readonly Message[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => messages,
  );
}

function add(text: string, isVisible: boolean): void {
  const id = nextId++;
  set([...messages, { id, text, isVisible }]);
  window.setTimeout(() => set(messages.filter((message) => message.id !== id)), SHOWN_MS);
}

function set(next: readonly Message[]): void {
  messages = next;
  for (const listener of listeners) listener();
}
