// Single-letter keys. The last one to ask for a key gets it, so a pane's Esc wins over the page's.

import { useEffect, useRef } from "react";

type Handlers = Record<string, (event: KeyboardEvent) => void>;

const stack: { current: Handlers }[] = [];

/** Calls `handlers[key]`; keys are lower case letters, names such as `Escape`, or `mod+k` for Ctrl/⌘ with K. */
export function useHotkeys(handlers: Handlers, enabled = true): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    if (!enabled) return;
    if (stack.length === 0) window.addEventListener("keydown", onKeyDown);
    stack.push(latest);
    return () => {
      stack.splice(stack.indexOf(latest), 1);
      if (stack.length === 0) window.removeEventListener("keydown", onKeyDown);
    };
  }, [enabled]);
}

function onKeyDown(event: KeyboardEvent): void {
  // An open dialog has its own keys.
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]") !== null) return;
  const key = keyName(event);
  if (isField(event.target) && !key.startsWith("mod+")) {
    if (key === "Escape") (event.target as HTMLElement).blur();
    return;
  }
  const handler = stack.findLast((handlers) => key in handlers.current)?.current[key];
  if (handler === undefined) return;
  event.preventDefault();
  handler(event);
}

type Key = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">;

/** The name under which handlers know a key. */
export function keyName({ key, ctrlKey, metaKey, altKey }: Key): string {
  const name = key.length === 1 ? key.toLowerCase() : key;
  if (altKey) return `alt+${name}`;
  return ctrlKey || metaKey ? `mod+${name}` : name;
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select"))
  );
}
