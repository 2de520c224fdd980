// What the signed-in user may do. The server decides; this only keeps from offering what it would refuse.

import { useQuery } from "@tanstack/react-query";

import { sessionQuery } from "../api/queries";

const ROLES = ["reader", "operator", "security_admin", "owner"] as const;
type Role = (typeof ROLES)[number];

/** Whether `role` may do what needs `least`. A role that we do not know is a newer server's: it is asked. */
export function isAtLeast(role: string | undefined, least: Role): boolean {
  if (role === undefined) return false;
  const known: readonly string[] = ROLES;
  return !known.includes(role) || known.indexOf(role) >= ROLES.indexOf(least);
}

/** Whether the signed-in user may do what needs `least`. */
export function useMay(least: Role): boolean {
  const { data: session } = useQuery(sessionQuery);
  return isAtLeast(session?.user.role, least);
}
