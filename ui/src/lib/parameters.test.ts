import { describe, expect, it } from "vitest";

import { fieldKind, lines, parametersOf, read, understood, written } from "./parameters";

const told = {
  allowed_images: { default: "^(.+){0}$", required: true, title: "Trusted images" },
  allowed_ports: { default: ["-1"], title: "Ports" },
  max_port: { default: 0 },
  strict: { default: false },
  paths: { default: [] },
  most: { default: { critical: 0 } },
};

describe("parameters", () => {
  it("are edited by the type of their own value", () => {
    const kinds = parametersOf(told).map(([, { default: own }]) => fieldKind(own));
    expect(kinds).toEqual(["text", "lines", "number", "switch", "lines", "json"]);
    expect(parametersOf(told)[0]?.[1].isRequired).toBe(true);
    expect(parametersOf(told)[2]?.[1].title).toBe("max_port");
  });

  it("come out of their fields as they went in", () => {
    for (const value of ["a", ["80", "443"], 7, true, [{ path: "/var", read_only: true }], { critical: 1 }]) {
      expect(read(written(value), value)).toEqual({ value });
    }
    expect(lines(" a \n\n b")).toEqual(["a", "b"]);
  });

  it("say what cannot be understood", () => {
    expect(read("x", 1)).toEqual({ fault: "number" });
    expect(read("", 1)).toEqual({ fault: "number" });
    expect(read("{x", [])).toEqual({ fault: "json" });
    expect(read("x", {})).toEqual({ fault: "json" });
  });

  it("are sent where they differ from their own", () => {
    const texts = { allowed_images: "^a/", allowed_ports: "-1", max_port: "z", strict: "true", paths: "" };
    expect(understood(parametersOf(told), texts)).toEqual({
      params: { allowed_images: "^a/", strict: true },
      faults: { max_port: "number" },
    });
  });
});
