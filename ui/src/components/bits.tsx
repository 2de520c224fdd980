// Small parts used everywhere.

import { useEffect, useState, type ReactNode } from "react";

import { exact, relative, shortDigest } from "../lib/format";
import { announce } from "../lib/messages";
import { usePreferences } from "../lib/preferences";
import { strings } from "../strings";
import { Icon } from "./icon";

/** A time as people say it; exact on hover. */
export function Time({ at }: { at: string }) {
  const { clock } = usePreferences();
  const time = new Date(at);
  return (
    <time dateTime={at} title={exact(time, clock)} className="nowrap">
      {relative(time, new Date())}
    </time>
  );
}

/** A time to the second. */
export function ExactTime({ at }: { at: string }) {
  const { clock } = usePreferences();
  return (
    <time dateTime={at} className="nowrap">
      {exact(new Date(at), clock)}
    </time>
  );
}

export function Digest({ value }: { value: string }) {
  return (
    <code className="digest" title={value}>
      {shortDigest(value)}
    </code>
  );
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), 2000);
    return () => window.clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    announce(strings.common.copied);
  };
  const label = strings.common.copyWhat(what);
  return (
    <button type="button" className="button icon-button" aria-label={label} title={label} onClick={() => void copy()}>
      <Icon name={copied ? "check" : "copy"} />
    </button>
  );
}

/** A command to type, with a button that copies it. */
export function Command({ text }: { text: string }) {
  return (
    <span className="command">
      <code>{text}</code>
      <CopyButton text={text} what={text} />
    </span>
  );
}

/** Says a term and its value in a definition list. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Sets the window's title. */
export function useTitle(page: string): void {
  useEffect(() => {
    document.title = strings.title(page);
  }, [page]);
}
