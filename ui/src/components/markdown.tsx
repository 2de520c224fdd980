// Shows foreign Markdown: see `lib/markdown.ts` for what is understood. Nothing of it becomes HTML.

import type { ReactNode } from "react";

import { type Inline, parseMarkdown } from "../lib/markdown";
import { ExternalLink } from "./external-link";

export function Markdown({ source }: { source: string }) {
  return (
    <div className="markdown">
      {parseMarkdown(source).map((block, key) => {
        switch (block.kind) {
          case "heading":
            return <h4 key={key}>{inline(block.inline)}</h4>;
          case "paragraph":
            return <p key={key}>{inline(block.inline)}</p>;
          case "code":
            // It may scroll sideways, and so must be reachable by keyboard.
            return (
              <pre key={key} tabIndex={0}>
                <code>{block.text}</code>
              </pre>
            );
          case "list": {
            const items = block.items.map((item, at) => <li key={at}>{inline(item)}</li>);
            return block.isOrdered ? <ol key={key}>{items}</ol> : <ul key={key}>{items}</ul>;
          }
        }
      })}
    </div>
  );
}

function inline(parts: Inline[]): ReactNode[] {
  return parts.map((part, key) => {
    switch (part.kind) {
      case "text":
        return part.text;
      case "code":
        return <code key={key}>{part.text}</code>;
      case "strong":
        return <strong key={key}>{part.text}</strong>;
      case "emphasis":
        return <em key={key}>{part.text}</em>;
      case "link":
        return (
          <ExternalLink key={key} href={part.href}>
            {part.text}
          </ExternalLink>
        );
    }
  });
}
