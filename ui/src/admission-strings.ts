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
  gateColumns: { cluster: "Cluster", name: "Webhook", version: "Version", reviews: "Reviews", policy: "Policy", certificate: "Certificate", seen: "Last seen" },
  gateStates: { current: "Up to date", old: "Being updated", own: "Its own file" },
  certificate: {
    ends: "ends",
    ended: "ended",
    unknown: "Not told",
    refusedBy: (by: string, why: string) => `${by} (“${why}”)`,
    refused: (by: string[]) =>
      `refused by ${by.join(", ")}. ${by.length === 1 ? "If that is" : "If one of them is"} the API server, it lets everything in: register the webhook again.`,
    late: "It should have been renewed before. From its end on, the cluster lets everything in.",
    authority: { ends: "Its authority ends", ended: "Its authority ended" },
    authorityLate:
      "– if the API server was not told of the next one by then, the cluster lets everything in: register the webhook again.",
    problem: (text: string) => `The webhook says: ${text}`,
  },
  away: "No webhook of this cluster was heard of for minutes. If none answers, the cluster lets everything in; if they only do not reach this server, they go on by the last policy.",
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

  edit: "Edit",
  editOf: (title: string) => `Edit ${title}`,
  policySettings: "Policy settings",
  policyLead: "They hold for all recommendations of this policy that say nothing else.",
  policyMode: "Violations are",
  updates: "Of changes to what is there already",
  updatesOf: { introduced: "only what a change brings in is refused", all: "all that is wrong is refused" },
  unchecked: "What cannot be judged is",
  uncheckedOf: { admit: "let in, with a warning (fail open)", deny: "refused where violations are (fail closed)" },
  openHint:
    "While a webhook is away, its cluster lets everything in. “seareeve admission register --fail-closed” turns that round, in the cluster.",
  excludedAll: "Namespaces that are never asked about, one a line (* stands for anything)",
  ruleLead: "What is set here holds for this policy. What the recommendation itself says of clusters is set on its own page.",
  mode: "Violations are",
  namespaces: "Otherwise in single namespaces",
  namespace: "Namespace",
  namespaceMode: "Mode",
  addNamespace: "Add a namespace",
  removeNamespace: (name: string) => `Remove ${name === "" ? "the empty row" : name}`,
  excludedOwn: "Namespaces left out, one a line (* stands for anything)",
  unscanned: "Images that nobody scanned are",
  unscannedOwn: "recorded",
  save: "Save",
  policySaved: "The policy is saved; webhooks have it within a minute",

  try: "What would happen now",
  tryOn: "On what there is in",
  tryButton: "Try",
  trying: "Looking…",
  tryNone: "No cluster is watched yet: let an observer join to see what would be refused.",
  tried: (objects: number) => `Of ${plural(objects, "object")}:`,
  triedNothing: "nothing would be refused, warned of or recorded.",
  triedMore: (n: number) => `and ${count(n)} more`,
  gaps: "Not seen, and not judged:",

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
