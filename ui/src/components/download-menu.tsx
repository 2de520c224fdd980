// The forms in which an image's results leave Seareeve.

import { useRef, type FocusEvent, type KeyboardEvent } from "react";

import { shortDigest } from "../lib/format";
import { strings } from "../strings";
import { Icon } from "./icon";
import "./download-menu.css";

const t = strings.image;

export function DownloadMenu({ digest }: { digest: string }) {
  const menu = useRef<HTMLDetailsElement>(null);
  const button = useRef<HTMLElement>(null);
  const address = `/api/v1/images/${encodeURIComponent(digest)}`;
  const name = `seareeve-${shortDigest(digest)}`;
  const forms = [
    { label: t.report, hint: t.reportHint, href: `${address}/report`, file: `${name}.json` },
    { label: t.cyclonedx, hint: t.cyclonedxHint, href: `${address}/sbom?format=cyclonedx`, file: `${name}.cdx.json` },
    { label: t.spdx, hint: t.spdxHint, href: `${address}/sbom?format=spdx`, file: `${name}.spdx.json` },
  ];
  const close = () => menu.current?.removeAttribute("open");
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || menu.current?.open !== true) return;
    // Only the menu closes, not the page.
    event.preventDefault();
    close();
    button.current?.focus();
  };
  const onBlur = (event: FocusEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget)) close();
  };
  return (
    <details ref={menu} className="download-menu" onKeyDown={onKeyDown} onBlur={onBlur}>
      <summary ref={button} className="button">
        <Icon name="download" />
        {t.download}
        <Icon name="down" />
      </summary>
      <ul>
        {forms.map(({ label, hint, href, file }) => (
          <li key={label}>
            <a href={href} download={file} onClick={close}>
              <strong>{label}</strong>
              <span className="muted">{hint}</span>
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
}
