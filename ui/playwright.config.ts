// The tests against a running server. `cargo xtask test` starts one and says where:
//   SEAREEVE_E2E_URL    its address
//   SEAREEVE_E2E_LINK   a one-time sign-in link of a user without a password
//   SEAREEVE_E2E_IMAGE  an image archive with at least one known vulnerability
// The server must be fresh: no image stored, the link unused.

import { defineConfig } from "@playwright/test";

import { BASE_URL } from "./e2e/environment";

export default defineConfig({
  testDir: "e2e",
  // One server, one user: the tests stand in each other's way unless they wait for each other.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    baseURL: BASE_URL,
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.SEAREEVE_E2E_BROWSER ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "first-run", testMatch: "first-run.spec.ts" },
    { name: "signed-in", testIgnore: "first-run.spec.ts", dependencies: ["first-run"] },
  ],
});
