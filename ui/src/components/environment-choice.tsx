// Which part of the estate a page is about. Not shown where there is only one.

import { useQuery } from "@tanstack/react-query";

import { environmentsQuery } from "../api/estate-queries";
import { estateStrings as t } from "../estate-strings";
import { Choice } from "./filter-bar";

interface Props {
  value: string | undefined;
  onChange: (environment: string | undefined) => void;
}

export function EnvironmentChoice({ value, onChange }: Props) {
  const { data } = useQuery(environmentsQuery);
  const names = data?.environments.map(({ name }) => name) ?? [];
  // One that has no assets any more may still stand in the address.
  if (value !== undefined && !names.includes(value)) names.push(value);
  if (names.length < 2 && value === undefined) return null;
  return (
    <Choice
      label={t.environment}
      value={value ?? ""}
      options={[["", t.allEnvironments], ...names.map((name) => [name, name] as const)]}
      onChange={(name) => onChange(name === "" ? undefined : name)}
    />
  );
}
