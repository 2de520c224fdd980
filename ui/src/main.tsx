// Where it begins: one store for answers, one router, and what to do when a session ends.

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { ApiError } from "./api/client";
import { keys } from "./api/queries";
import { notify } from "./lib/messages";
import { show } from "./lib/preferences";
import { makeRouter } from "./router";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/table.css";

show();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The server tells what changed; asking again on every visit would be noise.
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // Trying again helps when no answer came, not when it was a no.
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.status === 0,
    },
  },
  queryCache: new QueryCache({ onError: endSession }),
  mutationCache: new MutationCache({
    onError: (error, _variables, _context, mutation) => {
      endSession(error);
      // Forms show their own errors next to the field.
      if (mutation.meta?.showsError !== true) notify(error.message);
    },
  }),
});
const router = makeRouter(client);

// The screen's code is fetched while the server is still asked who we are.
const [matched] = router.getMatchedRoutes(window.location.pathname);
for (const route of matched) void router.loadRouteChunk(route);

/** The server no longer knows us: the routes then lead to the sign-in page and remember the address. */
function endSession(error: Error): void {
  if (!(error instanceof ApiError) || error.status !== 401 || client.getQueryData(keys.session) === null) return;
  client.setQueryData(keys.session, null);
  void router.invalidate();
}

const element = document.getElementById("root");
if (element === null) throw new Error("index.html has no #root");
createRoot(element).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
