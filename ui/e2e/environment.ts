// What the tests are told about the server, and what they tell each other.

import { fileURLToPath } from "node:url";

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set: see playwright.config.ts`);
  return value;
}

export const BASE_URL = required("SEAREEVE_E2E_URL");
export const SIGN_IN_LINK = required("SEAREEVE_E2E_LINK");
export const IMAGE = required("SEAREEVE_E2E_IMAGE");

/** The password that the first run chooses. */
export const PASSWORD = "kelp-anchor-lantern-42";

/** The session that the first run leaves to the other tests. */
export const SESSION_FILE = fileURLToPath(new URL("../test-results/session.json", import.meta.url));
