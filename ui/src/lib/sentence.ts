// A request to a cluster's API as a sentence, made of the audit event.

import { text } from "./address";

type Values = Record<string, unknown>;

const VERBS: Readonly<Record<string, string>> = {
  get: "read",
  list: "listed",
  watch: "watched",
  create: "created",
  update: "replaced",
  patch: "changed",
  delete: "deleted",
  deletecollection: "deleted all",
};

/** What is done by creating or getting these is not making or reading something. */
const ACTS: Readonly<Record<string, string>> = {
  "pods/exec": "ran a command in",
  "pods/attach": "attached to",
  "pods/portforward": "forwarded a port to",
  "pods/ephemeralcontainers": "put a debug container into",
  "serviceaccounts/token": "asked for a token of",
  "nodes/proxy": "went through the API server to the kubelet of",
  "services/proxy": "went through the API server to",
  "pods/proxy": "went through the API server to",
  "pods/log": "read the log of",
};

/** "alice ran a command in pod shop/cart-1 from 10.0.0.4, which was allowed (101)"; undefined for what is no request. */
export function sentence(event: unknown): string | undefined {
  const { verb, user, objectRef, requestURI, sourceIPs, responseStatus, impersonatedUser, annotations } = values(event);
  const name = text(values(user).username);
  if (typeof verb !== "string") return undefined;
  const who = name ?? "Somebody without a name";
  const as = text(values(impersonatedUser).username);
  const { resource, subresource, namespace, name: object } = values(objectRef);
  const kind = [text(resource), text(subresource)].filter(Boolean).join("/");
  // Without a name it is about all of a namespace.
  const place = text(object) === undefined && text(namespace) !== undefined ? `in ${namespace}` : [text(namespace), text(object)].filter(Boolean).join("/");
  const what = kind === "" ? (text(requestURI) ?? "something") : [ACTS[kind] === undefined ? kind : singular(kind), place].filter(Boolean).join(" ");
  const done = ACTS[kind] ?? VERBS[verb] ?? verb;
  const ips = Array.isArray(sourceIPs) ? sourceIPs.filter((ip) => typeof ip === "string") : [];
  const from = ips.length === 0 ? "" : ` from ${ips.join(", ")}`;
  const code = values(responseStatus).code;
  const decision = text(values(annotations)["authorization.k8s.io/decision"]);
  const refused = decision === "forbid" || code === 401 || code === 403;
  const outcome = typeof code !== "number" ? "" : refused ? `, which was refused (${code})` : code >= 400 ? `, which failed (${code})` : ` (${code})`;
  return `${who}${as === undefined ? "" : `, as ${as},`} ${refused ? `tried: ${done}` : done} ${what}${from}${outcome}`;
}

function singular(kind: string): string {
  return (kind.split("/")[0] ?? kind).replace(/s$/, "");
}

function values(value: unknown): Values {
  return typeof value === "object" && value !== null ? (value as Values) : {};
}
