// The name of an asset, leading to what there is to see of it.

import { Link } from "@tanstack/react-router";

import type { AssetSummary } from "../api/types";

interface Props {
  id: number;
  name: string;
  /** Whether it is the main link of a row. */
  isRow?: boolean;
}

export function AssetLink({ id, name, isRow = false }: Props) {
  return (
    <Link to="/asset/$id" params={{ id: String(id) }} search={{}} title={name} {...(isRow ? { "data-row-link": "" } : {})}>
      {name}
    </Link>
  );
}

/** The page that shows how an asset is configured; nothing for kinds that have none. A cluster that only its cloud tells
 *  of stands among what connectors brought. */
export function configurationAddress({ kind, id, within }: Pick<AssetSummary, "kind" | "id" | "within">): string | undefined {
  const pages: Readonly<Record<string, string>> = {
    "docker-host": "/hosts",
    "kubernetes-cluster": within ? "/clusters" : "/connect",
    registry: "/connect",
    environment: "/connect",
  };
  const page = pages[kind];
  return page === undefined ? undefined : `${page}/${id}`;
}
