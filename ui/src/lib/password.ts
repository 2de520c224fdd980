// Changing one's password.

import type { QueryClient } from "@tanstack/react-query";

import { api, data } from "../api/client";
import { remember, sessionQuery } from "../api/queries";
import type { Session } from "../api/types";

export const MIN_PASSWORD = 12;

interface NewPassword {
  current?: string;
  new: string;
}

/** A new password ends all sessions of the user, and begins the one that this yields. */
export async function changePassword(client: QueryClient, body: NewPassword): Promise<Session> {
  const session = remember(await data(api.PUT("/api/v1/session/password", { body })));
  client.setQueryData(sessionQuery.queryKey, session);
  return session;
}
