// The commands that made layers, without what builders put around them.

/** `/bin/sh -c #(nop)  COPY a b` becomes `COPY a b`; `RUN /bin/sh -c apt-get # buildkit` becomes `RUN apt-get`. */
export function readableCommand(createdBy: string): string {
  const withoutMark = createdBy.replace(/\s*# buildkit\s*$/, "").trim();
  const instruction = /^\/bin\/sh -c #\(nop\)\s*(.*)$/s.exec(withoutMark)?.[1];
  if (instruction !== undefined) return oneLine(instruction);
  const run = /^(?:RUN\s+)?(?:\|\d+\s.*?)?\/bin\/sh -c\s+(.*)$/s.exec(withoutMark)?.[1];
  return oneLine(run === undefined ? withoutMark : `RUN ${run}`);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
