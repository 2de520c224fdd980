// One section of the settings: what it is on the left, what can be done on the right.

import { useId, type ReactNode } from "react";

export function Setting({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  const id = useId();
  return (
    <section className="panel setting" aria-labelledby={id}>
      <div className="setting-head">
        <h2 id={id}>{title}</h2>
        {lead !== undefined && <p className="muted">{lead}</p>}
      </div>
      <div className="setting-body">{children}</div>
    </section>
  );
}
