// What was asked for, or why it is not there yet.

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ErrorState, Skeleton } from "./states";

interface Props<Data> {
  query: Pick<UseQueryResult<Data>, "isError" | "error" | "data" | "refetch">;
  /** Rows of the skeleton. */
  rows: number;
  children: (data: Data) => ReactNode;
}

export function Loaded<Data>({ query, rows, children }: Props<Data>) {
  if (query.isError && query.error !== null) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (query.data === undefined) return <Skeleton rows={rows} />;
  return children(query.data);
}
