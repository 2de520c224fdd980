// All there is to know about one list, and what can be done with it.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, data } from "../api/client";
import { keys } from "../api/queries";
import type { IntelList, IntelUnused } from "../api/types";
import { Fact, Time } from "../components/bits";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { intelStrings as t } from "../intel-strings";
import { count } from "../lib/format";
import { notify } from "../lib/messages";

interface Props {
  list: IntelList;
  onClose: () => void;
  onFetch?: () => void;
  onUpload?: () => void;
  onToggle?: () => void;
  onDelete?: () => void;
}

export function Details({ list, onClose, onFetch, onUpload, onToggle, onDelete }: Props) {
  const at = (time: string | null | undefined) => (time == null ? t.nothing : <Time at={time} />);
  return (
    <Dialog title={list.name} onClose={onClose}>
      {list.problem != null && <p className="banner is-warning">{list.problem}</p>}
      <dl className="facts is-column">
        <Fact name={t.facts.from}>{list.address ?? t.upload}</Fact>
        <Fact name={t.facts.format}>
          {t.formats[list.format ?? "auto"] ?? list.format} {list.column}
        </Fact>
        <Fact name={t.extends}>{list.extends.length === 0 ? t.excludes : list.extends.join(", ")}</Fact>
        {list.header != null && <Fact name={t.facts.header}>{list.header.name}</Fact>}
        <Fact name={t.columns.entries}>{count(list.entries)}</Fact>
        <Fact name={t.facts.succeeded}>{at(list.succeeded)}</Fact>
        <Fact name={t.facts.changed}>{at(list.changed)}</Fact>
        <Fact name={t.facts.tried}>{at(list.tried)}</Fact>
        {list.address != null && <Fact name={t.every}>{t.hours[String(list.every_hours)] ?? `${list.every_hours} h`}</Fact>}
        <Fact name={t.facts.author}>{list.author}</Fact>
      </dl>
      <Reasons title={t.notRead} reasons={list.unused} />
      <Reasons title={t.leftOut} reasons={list.left_out} />
      <div className="dialog-actions">
        {onDelete !== undefined && (
          <button type="button" className="button" onClick={onDelete}>
            {t.delete}
          </button>
        )}
        {onToggle !== undefined && (
          <button type="button" className="button" onClick={onToggle}>
            {list.is_on ? t.switchOff : t.switchOn}
          </button>
        )}
        {onUpload !== undefined && (
          <button type="button" className="button is-primary" onClick={onUpload}>
            {t.uploadNew}
          </button>
        )}
        {onFetch !== undefined && (
          <button type="button" className="button is-primary" disabled={list.reading} onClick={onFetch}>
            {t.fetch}
          </button>
        )}
        <button type="button" className="button" onClick={onClose}>
          {t.close}
        </button>
      </div>
    </Dialog>
  );
}

function Reasons({ title, reasons }: { title: string; reasons: readonly IntelUnused[] }) {
  if (reasons.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <div className="table-scroll">
        <table className="small-table" aria-label={title}>
          <thead>
            <tr>
              <th scope="col">{t.reason}</th>
              <th scope="col">{t.count}</th>
              <th scope="col">{t.example}</th>
            </tr>
          </thead>
          <tbody>
            {reasons.map(({ reason, count: number, example }) => (
              <tr key={reason}>
                <td>{reason}</td>
                <td>{count(number)}</td>
                <td className="is-mono">{example}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

export function UploadDialog({ list: { id, name }, onClose }: { list: IntelList; onClose: () => void }) {
  const client = useQueryClient();
  const [file, setFile] = useState<File>();
  const upload = useMutation({
    mutationFn: (content: File) => uploadList(id, content),
    onSuccess: () => {
      notify(t.uploaded);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (file !== undefined) upload.mutate(file);
  };
  return (
    <Dialog title={`${t.uploadNew}: ${name}`} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <label className="field">
          {t.file}
          <input className="input" type="file" required onChange={(event) => setFile(event.target.files?.[0])} />
        </label>
        <FormActions error={upload.error} verb={t.uploadNew} isBusy={file === undefined || upload.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}

/** Sends a list's content as it is. */
export async function uploadList(id: number, content: File): Promise<IntelList> {
  const body = await content.arrayBuffer();
  return data(
    api.PUT("/api/v1/intel/lists/{id}/content", {
      params: { path: { id } },
      // The document says bytes, and its types numbers.
      body: body as unknown as number[],
      bodySerializer: (bytes) => bytes as unknown as BodyInit,
      headers: { "content-type": "application/octet-stream" },
    }),
  );
}
