// What stands beside a list: one of its rows, whole. It takes the focus, and gives it back to its row.

import { useEffect, useRef, type ReactNode } from "react";

import { useHotkeys } from "../lib/hotkeys";
import { strings } from "../strings";
import { Icon } from "./icon";
import "../routes/finding-pane.css";

interface Props {
  /** For those who do not see it. */
  label: string;
  title: string;
  /** Changes when another row is shown. */
  of: string;
  onClose: () => void;
  children: ReactNode;
}

export function Pane({ label, title, of, onClose, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const pane = useRef<HTMLElement>(null);
  useHotkeys({ Escape: onClose });
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    pane.current?.scrollTo(0, 0);
  }, [of]);
  // Closing it gives the focus back to the row it came from.
  const row = useRef<string>(undefined);
  useEffect(() => {
    row.current = document.querySelector("tr[aria-current]")?.getAttribute("data-index") ?? row.current;
  });
  useEffect(
    () => () => {
      const link = document.querySelector<HTMLElement>(`tr[data-index="${row.current}"] [data-row-link]`);
      link?.focus({ preventScroll: true });
    },
    [],
  );
  return (
    <aside ref={pane} className="pane" aria-label={label}>
      <header className="pane-header">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" className="button icon-button" aria-label={strings.common.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="pane-body">{children}</div>
    </aside>
  );
}
