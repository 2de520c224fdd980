// A small, safe subset of Markdown: headings, paragraphs, lists, code, emphasis and http(s) links. Advisories are
// foreign text, so this yields plain values that React renders as text; raw HTML stays visible as what it is.

export type Inline =
  | { kind: "text" | "code" | "strong" | "emphasis"; text: string }
  | { kind: "link"; text: string; href: string };

export type Block =
  | { kind: "heading" | "paragraph"; inline: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "list"; isOrdered: boolean; items: Inline[][] };

const FENCE = /^\s*(```|~~~)/;
const HEADING = /^#{1,6}\s+(.*?)\s*#*$/;
const ITEM = /^\s{0,3}(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;

export function parseMarkdown(source: string): Block[] {
  const lines = source.replaceAll("\r\n", "\n").split("\n");
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const endParagraph = () => {
    if (paragraph.length > 0) blocks.push({ kind: "paragraph", inline: parseInline(paragraph.join(" ")) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line)?.[1];
    const heading = HEADING.exec(line)?.[1];
    const item = ITEM.exec(line);
    if (fence !== undefined) {
      endParagraph();
      const code: string[] = [];
      // A fence that is never closed reaches to the end.
      for (at += 1; at < lines.length && !lines[at]?.trimStart().startsWith(fence); at += 1) code.push(lines[at] ?? "");
      blocks.push({ kind: "code", text: code.join("\n") });
    } else if (line.trim() === "") {
      endParagraph();
    } else if (heading !== undefined) {
      endParagraph();
      blocks.push({ kind: "heading", inline: parseInline(heading) });
    } else if (item !== null) {
      endParagraph();
      addItem(blocks, item[1] !== undefined, parseInline(item[2] ?? ""), /^\s*$/.test(lines[at - 1] ?? ""));
    } else {
      paragraph.push(line.trim());
    }
  }
  endParagraph();
  return blocks;
}

function addItem(blocks: Block[], isOrdered: boolean, item: Inline[], afterGap: boolean): void {
  const last = blocks.at(-1);
  if (last?.kind === "list" && last.isOrdered === isOrdered && !afterGap) last.items.push(item);
  else blocks.push({ kind: "list", isOrdered, items: [item] });
}

const INLINE =
  /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])|\[([^\]]*)\]\((\S+?)\)|<?(https?:\/\/[^\s<>()`]+[^\s<>()`.,;:!?'"])>?/g;

export function parseInline(source: string): Inline[] {
  const found: Inline[] = [];
  let end = 0;
  for (const match of source.matchAll(INLINE)) {
    if (match.index > end) found.push({ kind: "text", text: source.slice(end, match.index) });
    found.push(toInline(match));
    end = match.index + match[0].length;
  }
  if (end < source.length) found.push({ kind: "text", text: source.slice(end) });
  return found;
}

function toInline([whole, code, strong, strong2, emphasis, label, target, bare]: RegExpExecArray): Inline {
  if (code !== undefined) return { kind: "code", text: code };
  if (strong !== undefined || strong2 !== undefined) return { kind: "strong", text: strong ?? strong2 ?? "" };
  if (emphasis !== undefined) return { kind: "emphasis", text: emphasis };
  const href = safeLink(target ?? bare);
  if (href === undefined) return { kind: "text", text: whole };
  return { kind: "link", href, text: label !== undefined && label !== "" ? label : href };
}

/** An address that may be put behind a link: http and https only. */
export function safeLink(target: string | undefined): string | undefined {
  const url = target === undefined ? null : URL.parse(target);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? url.href : undefined;
}
