// What can be set of a recommendation, as it is written in fields: by the type of each parameter's own value.

export interface Parameter {
  default: unknown;
  title: string;
  /** Whether its own value says nothing: somebody has to set it. */
  isRequired: boolean;
}

export type FieldKind = "switch" | "number" | "text" | "lines" | "json";
export type Written = Readonly<Record<string, string>>;

/** The parameters that the server tells of, by name. */
export function parametersOf(told: Readonly<Record<string, unknown>>): [name: string, parameter: Parameter][] {
  return Object.entries(told).map(([name, one]) => {
    const parts = isRecord(one) ? one : {};
    const title = typeof parts.title === "string" ? parts.title : name;
    return [name, { default: parts.default, title, isRequired: parts.required === true }];
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function fieldKind(own: unknown): FieldKind {
  if (typeof own === "boolean") return "switch";
  if (typeof own === "number") return "number";
  if (typeof own === "string") return "text";
  return Array.isArray(own) ? "lines" : "json";
}

/** A value as it stands in its field. */
export function written(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n");
  return JSON.stringify(value) ?? "";
}

/** What a field says; a fault when it cannot be understood. */
export function read(text: string, own: unknown): { value: unknown } | { fault: "number" | "json" } {
  switch (fieldKind(own)) {
    case "switch":
      return { value: text === "true" };
    case "number": {
      const number = Number(text);
      return text.trim() === "" || !Number.isInteger(number) ? { fault: "number" } : { value: number };
    }
    case "text":
      return { value: text };
    case "json":
      return parsed(text);
    case "lines": {
      const values: unknown[] = [];
      for (const line of lines(text)) {
        // What is no plain text is a map: a range, a folder.
        const one = line.startsWith("{") ? parsed(line) : { value: line };
        if ("fault" in one) return one;
        values.push(one.value);
      }
      return { value: values };
    }
  }
}

function parsed(text: string): { value: unknown } | { fault: "json" } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { fault: "json" };
  }
}

/** The lines of a text that say something. */
export const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

export interface Understood {
  /** Values that differ from the parameters' own. */
  params: Record<string, unknown>;
  /** What cannot be understood, by name. */
  faults: Partial<Record<string, "number" | "json">>;
}

/** What fields say that differs from the parameters' own values. */
export function understood(parameters: readonly [string, Parameter][], texts: Written): Understood {
  const params: Record<string, unknown> = {};
  const faults: Understood["faults"] = {};
  for (const [name, parameter] of parameters) {
    const text = texts[name];
    if (text === undefined || text === written(parameter.default)) continue;
    const found = read(text, parameter.default);
    if ("fault" in found) faults[name] = found.fault;
    else params[name] = found.value;
  }
  return { params, faults };
}
