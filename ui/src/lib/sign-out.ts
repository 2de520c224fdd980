// Ends the session, on the server first.

import type { QueryClient } from "@tanstack/react-query";

import { api, done } from "../api/client";
import { changeSession } from "../api/queries";

export async function signOut(client: QueryClient): Promise<void> {
  await done(api.DELETE("/api/v1/session"));
  changeSession(client, null);
}
