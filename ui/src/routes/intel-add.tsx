// The form for another list.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, data, done } from "../api/client";
import { keys } from "../api/queries";
import type { IntelNamed, NewIntelList } from "../api/types";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { intelStrings as t, kindsOf } from "../intel-strings";
import { notify } from "../lib/messages";
import { uploadList } from "./intel-details";
import "../components/parameter-fields.css";

const HOURS = ["1", "6", "24", "168", "0"];
const FORMATS = ["auto", "plain", "csv", "stix", "misp"];

interface Given {
  list: NewIntelList;
  file: File | undefined;
}

function given(fields: FormData): Given {
  const of = (name: string) => String(fields.get(name) ?? "").trim();
  const isFetched = of("source") !== "upload";
  const isTable = of("format") === "csv";
  const secret = of("secret");
  const file = fields.get("file");
  const header =
    isFetched && of("header") !== ""
      ? {
          name: of("header"),
          value: of("secret_kind") === "variable" ? ({ kind: "variable", variable: secret } as const) : ({ kind: "file", file: secret } as const),
        }
      : undefined;
  return {
    file: !isFetched && file instanceof File ? file : undefined,
    list: {
      name: of("name"),
      format: of("format"),
      extends: of("use") === "good" ? [] : fields.getAll("extends").map(String),
      every_hours: Number(of("every") || "24"),
      ...(isFetched && { address: of("address") }),
      ...(isTable && { column: of("column"), separator: of("separator") || "," }),
      ...(header !== undefined && { header }),
    },
  };
}

export function AddList({ named, onClose }: { named: readonly IntelNamed[]; onClose: () => void }) {
  const client = useQueryClient();
  const [source, setSource] = useState("address");
  const [format, setFormat] = useState("auto");
  const [use, setUse] = useState("bad");
  const [header, setHeader] = useState("");
  const [secret, setSecret] = useState("file");
  const create = useMutation({
    mutationFn: async ({ list, file }: Given) => {
      const { id } = await data(api.POST("/api/v1/intel/lists", { body: list }));
      if (file === undefined) return;
      try {
        await uploadList(id, file);
      } catch (error) {
        // Half a list would be in the way of the next try.
        await done(api.DELETE("/api/v1/intel/lists/{id}", { params: { path: { id } } }));
        throw error;
      }
    },
    onSuccess: () => {
      notify(t.created);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(given(new FormData(event.currentTarget)));
  };
  const choice = (name: string, label: string, value: string, set: (value: string) => void, options: readonly (readonly [string, string])[]) => (
    <label className="field">
      {label}
      <select name={name} value={value} onChange={(event) => set(event.target.value)}>
        {options.map(([id, text]) => (
          <option key={id} value={id}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
  const field = (name: string, label: string, more: { isRequired?: boolean; type?: string } = {}) => (
    <label className="field">
      {label}
      <input className="input" name={name} type={more.type ?? "text"} required={more.isRequired ?? false} autoComplete="off" />
    </label>
  );
  return (
    <Dialog title={t.add} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {field("name", t.name, { isRequired: true })}
        {choice("source", t.source, source, setSource, Object.entries(t.sources))}
        {source === "upload" ? field("file", t.file, { isRequired: true, type: "file" }) : field("address", t.address, { isRequired: true, type: "url" })}
        {choice(
          "format",
          t.format,
          format,
          setFormat,
          FORMATS.map((one) => [one, t.formats[one] ?? one] as const),
        )}
        {format === "csv" && (
          <>
            {field("column", t.column, { isRequired: true })}
            {field("separator", t.separator)}
          </>
        )}
        {choice("use", t.use, use, setUse, [
          ["bad", t.isBad],
          ["good", t.isGood],
        ])}
        {use === "bad" && (
          <fieldset className="field">
            <legend>{t.extends}</legend>
            {named.map(({ name, title, takes, own, added }) => (
              <label key={name} className="checkbox-field" title={t.takes(kindsOf(takes), own, added)}>
                <input type="checkbox" name="extends" value={name} defaultChecked={name.startsWith("known_bad_")} />
                <span>
                  {title} <span className="muted">({kindsOf(takes)})</span>
                </span>
              </label>
            ))}
            <span className="muted">{t.hashes}</span>
          </fieldset>
        )}
        {source === "address" && (
          <>
            <label className="field">
              {t.every}
              <select name="every" defaultValue="24">
                {HOURS.map((hours) => (
                  <option key={hours} value={hours}>
                    {t.hours[hours]}
                  </option>
                ))}
              </select>
            </label>
            <label className="field">
              {t.header}
              <input className="input" name="header" value={header} onChange={(event) => setHeader(event.target.value)} autoComplete="off" />
            </label>
            {header !== "" && (
              <>
                {choice("secret_kind", t.headerValue, secret, setSecret, Object.entries(t.secrets))}
                {field("secret", secret === "file" ? t.fileName : t.variableName, { isRequired: true })}
              </>
            )}
          </>
        )}
        <FormActions error={create.error} verb={t.create} isBusy={create.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}
