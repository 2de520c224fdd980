// The words of the page about what may enter clusters; see `strings.ts`.

import { count, plural } from "./lib/format";

export const admissionStrings = {
  title: "Admission",
  lead: "What may enter your clusters, by recommendation. A webhook in each cluster answers by this policy; while it is away, the cluster lets everything in.",
  cluster: "Policy of",
  allClusters: "All clusters",
  changedBy: (author: string) => `Changed by ${author}`,
  builtin: "Nobody has changed it: everything is recorded, and nothing is refused.",

  gates: "Webhooks",
  gateColumns: { cluster: "Cluster", name: "Webhook", version: "Version", reviews: "Reviews", policy: "Policy", seen: "Last seen" },
  gateStates: { current: "Up to date", old: "Being updated", own: "Its own file" },
  noGates: "No webhook has reported yet",
  noGatesHint:
    "Add it to the observer's chart (--set admission.enabled=true), or run it with the address of this server and a join token from the page Clusters. Then tell the API server of it, where the webhook runs. It begins by recording, and refuses nothing before you say so here.",
  command: "Command of the webhook",
  registerCommand: "Command that tells the API server",

  rules: "Recommendations",
  ruleColumns: { title: "Recommendation", mode: "Violations are", decided: "Last 90 days" },
  modes: { off: "passed over", audit: "recorded", warn: "warned of", deny: "refused" },
  byPolicy: (mode: string) => `as the policy says: ${mode}`,
  waits: "off until you choose",
  modeOf: (title: string) => `Violations of “${title}”`,
  inNamespaces: (names: string) => `Otherwise in ${names}`,
  leftOut: ([first, ...others]: string[]) =>
    others.length === 0 ? `Not in ${first ?? ""}` : `Not in ${first ?? ""} and ${count(others.length)} more`,
  decided: {
    denied: (n: number) => `${count(n)} refused`,
    warned: (n: number) => `${count(n)} warned of`,
    audited: (n: number) => `${count(n)} recorded`,
    unchecked: (n: number) => `${count(n)} not judged`,
  },
  nothing: "Nothing yet",
  forbidden: "A security admin can change the policy.",
  saved: (title: string, mode: string) => `${title}: violations are ${mode}`,
  conflict: "Somebody else changed the policy meanwhile. It is shown as it is now.",

  denyTitle: "Refuse from now on?",
  denyText: (title: string, would: number) =>
    would === 0
      ? `Nothing that would be refused by “${title}” was seen so far. What runs already goes on; changes of it are refused only if they bring in something new.`
      : `${plural(would, "time")} something was let in that “${title}” would refuse. What runs already goes on; changes of it are refused only if they bring in something new.`,
  denyVerb: "Refuse",

  samples: "Last decisions",
  sampleColumns: { at: "When", effect: "Decision", object: "Object", user: "By", message: "What is wrong" },
  effects: { denied: "Refused", warned: "Warned of", audited: "Recorded", unchecked: "Not judged" },
} as const;
