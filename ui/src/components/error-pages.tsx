// Whole pages for what should not happen.

import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";

import { strings } from "../strings";
import { useTitle } from "./bits";
import { ErrorState } from "./states";

export function NotFoundPage() {
  useTitle(strings.errors.notFound);
  return (
    <main className="lone-page">
      <h1>{strings.errors.notFound}</h1>
      <p>{strings.errors.notFoundHint}</p>
      <Link to="/" className="button is-primary">
        {strings.errors.backHome}
      </Link>
    </main>
  );
}

export function CrashPage({ error }: ErrorComponentProps) {
  const router = useRouter();
  useTitle(strings.errors.crash);
  return (
    <main className="lone-page">
      <h1>{strings.errors.crash}</h1>
      <ErrorState error={error instanceof Error ? error : new Error(String(error))} retry={() => void router.invalidate()} />
    </main>
  );
}
