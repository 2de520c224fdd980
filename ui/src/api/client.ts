// The one way to the server: typed requests, errors as `ApiError`.

import createClient from "openapi-fetch";

import { strings } from "../strings";
import type { paths } from "./schema";

/** What went wrong, for people (`message`) and for finding it in the server's log (`requestId`). */
export class ApiError extends Error {
  constructor(
    /** The HTTP status; 0 when no answer came. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId?: string,
    /** The field of the request that is wrong, where one is. */
    readonly field?: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** The server wants it back with every request that changes something. Kept here, not in the page's storage. */
let csrfToken = "";

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

export function csrfHeader(): Record<string, string> {
  return csrfToken === "" ? {} : { "X-CSRF-Token": csrfToken };
}

export const api = createClient<paths>();

api.use({
  onRequest({ request }) {
    if (request.method === "GET") return;
    for (const [name, value] of Object.entries(csrfHeader())) request.headers.set(name, value);
  },
  onError({ error }) {
    // An abort is the caller's own doing.
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return new ApiError(0, "network", strings.errors.network);
  },
});

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** The data of an answer; throws `ApiError` for every other. */
export async function data<A extends Answer>(answer: Promise<A>): Promise<NonNullable<A["data"]>> {
  const { data, error, response } = await answer;
  if (!response.ok) throw toError(response.status, error);
  return data as NonNullable<A["data"]>;
}

/** For answers without content. */
export async function done(answer: Promise<Answer>): Promise<void> {
  const { error, response } = await answer;
  if (!response.ok) throw toError(response.status, error);
}

/** Reads our error envelope; what is not ours (a proxy's page) becomes a plain sentence. */
export function toError(status: number, body: unknown): ApiError {
  if (typeof body === "object" && body !== null && "error" in body) {
    const error = body.error as Partial<Record<"code" | "detail" | "request_id" | "field", unknown>> | null;
    if (typeof error?.detail === "string") {
      const requestId = typeof error.request_id === "string" ? error.request_id : undefined;
      const field = typeof error.field === "string" ? error.field : undefined;
      return new ApiError(status, String(error.code), error.detail, requestId, field);
    }
  }
  return new ApiError(status, "foreign", `${strings.errors.network} (${status})`);
}
