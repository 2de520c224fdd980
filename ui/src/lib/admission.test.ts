import { describe, expect, it } from "vitest";

import { generalOf, hasCome, isWaiting, policyMode, ruleOf, withGeneral, withMode, withRule } from "./admission";

const policy = {
  schema: "seareeve.admission/1",
  mode: "warn",
  excluded_images: ["a/*"],
  recommendations: {
    privileged: { mode: "deny", namespaces: { dev: "audit", odd: "?" }, excluded_namespaces: ["kube-system"] },
    ports: { parameters: { allowed_ports: ["80"] } },
  },
};

describe("a policy of admission", () => {
  it("says what becomes of a recommendation's violations", () => {
    expect(policyMode(policy)).toBe("warn");
    expect(policyMode({})).toBe("audit");
    expect(ruleOf(policy, "privileged")).toEqual({
      mode: "deny",
      namespaces: [["dev", "audit"]],
      excluded: ["kube-system"],
      parameters: {},
      unscanned: undefined,
    });
    expect(ruleOf(policy, "other").mode).toBeUndefined();
  });

  it("changes one mode and nothing else", () => {
    const changed = withMode(policy, "privileged", "warn");
    expect(ruleOf(changed, "privileged")).toEqual({ ...ruleOf(policy, "privileged"), mode: "warn" });
    expect(ruleOf(changed, "ports")).toEqual(ruleOf(policy, "ports"));
    expect(changed.excluded_images).toEqual(["a/*"]);
    expect(ruleOf(withMode(changed, "privileged", undefined), "privileged").mode).toBeUndefined();
    expect(ruleOf(policy, "privileged").mode).toBe("deny");
  });

  it("changes all that is said of one recommendation, and nothing else of it", () => {
    const rules = { ...policy.recommendations, ports: { excluded_images: ["b/*"] } };
    const next = { mode: "deny", namespaces: [["dev", "warn"]], excluded: undefined, parameters: { allowed_ports: ["80"] }, unscanned: undefined } as const;
    const changed = withRule({ ...policy, recommendations: rules }, "ports", { ...next, namespaces: [["dev", "warn"]] });
    expect(ruleOf(changed, "ports")).toEqual(next);
    expect((changed.recommendations as typeof rules).ports.excluded_images).toEqual(["b/*"]);
    expect(ruleOf(changed, "privileged")).toEqual(ruleOf(policy, "privileged"));
  });

  it("changes what holds for all", () => {
    const general = generalOf(policy);
    expect(general).toEqual({ mode: "warn", updates: "introduced", unchecked: "admit", excluded: [] });
    const changed = withGeneral(policy, { ...general, unchecked: "deny", excluded: ["a*"] });
    expect(generalOf(changed)).toEqual({ ...general, unchecked: "deny", excluded: ["a*"] });
    expect(ruleOf(changed, "privileged")).toEqual(ruleOf(policy, "privileged"));
  });

  it("waits for parameters that are required and not given", () => {
    expect(isWaiting(true, false, ruleOf(policy, "other"))).toBe(true);
    expect(isWaiting(true, false, ruleOf(policy, "ports"))).toBe(false);
    expect(isWaiting(true, true, ruleOf(policy, "ports"))).toBe(true);
    expect(isWaiting(true, true, ruleOf(policy, "privileged"))).toBe(false);
    expect(isWaiting(false, false, ruleOf(policy, "other"))).toBe(false);
  });

  it("says whether a time has come", () => {
    const now = Date.parse("2030-01-01T00:00:00Z");
    expect(hasCome("2030-01-01T00:00:01Z", now)).toBe(false);
    expect(hasCome("2030-01-01T00:00:00Z", now)).toBe(true);
    expect(hasCome(null, now)).toBe(false);
  });
});
