import { describe, expect, it } from "vitest";

import { isWaiting, policyMode, ruleOf, withMode } from "./admission";

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
      hasParameters: false,
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

  it("waits for parameters that are required and not given", () => {
    expect(isWaiting(true, false, ruleOf(policy, "other"))).toBe(true);
    expect(isWaiting(true, false, ruleOf(policy, "ports"))).toBe(false);
    expect(isWaiting(true, true, ruleOf(policy, "ports"))).toBe(true);
    expect(isWaiting(true, true, ruleOf(policy, "privileged"))).toBe(false);
    expect(isWaiting(false, false, ruleOf(policy, "other"))).toBe(false);
  });
});
