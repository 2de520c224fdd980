// A link out of the application. The other side learns nothing of us; foreign schemes stay text.

import type { ReactNode } from "react";

import { safeLink } from "../lib/markdown";
import { strings } from "../strings";
import { Icon } from "./icon";

export function ExternalLink({ href, children }: { href: string; children: ReactNode }) {
  const safe = safeLink(href);
  if (safe === undefined) return <span>{children}</span>;
  return (
    <a href={safe} target="_blank" rel="noreferrer noopener" className="external">
      {children}
      <Icon name="external" />
      <span className="visually-hidden"> ({strings.finding.newTab})</span>
    </a>
  );
}
