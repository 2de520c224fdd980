// VEX documents: what makers say of vulnerabilities in what they make.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, data, done } from "../api/client";
import { keys, vexQuery } from "../api/queries";
import type { VexEntry } from "../api/types";
import { Time } from "../components/bits";
import { Confirm } from "../components/dialog";
import { FilePicker } from "../components/file-picker";
import { Icon } from "../components/icon";
import { Setting } from "../components/setting";
import { ErrorState, FormError, Skeleton } from "../components/states";
import { count } from "../lib/format";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";

const t = strings.settings.vex;

export function VexSettings() {
  const client = useQueryClient();
  const { data: list, error, refetch } = useQuery(vexQuery);
  const mayChange = useMay("operator");
  const [doomed, setDoomed] = useState<VexEntry>();
  const refresh = () => client.invalidateQueries({ queryKey: keys.vex });
  const add = useMutation({
    meta: { showsError: true },
    mutationFn: async (file: File) => {
      const text = await file.text();
      return data(
        api.POST("/api/v1/vex", {
          params: { query: { name: file.name } },
          // The document as it is: the server reads it, and says what is wrong with it.
          body: text as never,
          bodySerializer: () => text,
          headers: { "content-type": "application/json" },
        }),
      );
    },
    onSuccess: ({ name }) => {
      notify(t.added(name));
      return refresh();
    },
  });
  const remove = useMutation({
    mutationFn: (id: number) => done(api.DELETE("/api/v1/vex/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      notify(t.deleted);
      return refresh();
    },
    onSettled: () => setDoomed(undefined),
  });
  return (
    <Setting title={t.title} lead={t.lead}>
      {mayChange ? (
        <div className="setting-actions">
          <FilePicker
            accept=".json,application/json"
            label={t.add}
            text={add.isPending ? t.adding : t.add}
            disabled={add.isPending}
            onPick={([file]) => file !== undefined && add.mutate(file)}
          />
        </div>
      ) : (
        <p className="muted">{strings.roles.vex}</p>
      )}
      <FormError error={add.error} />
      {list?.judging === true && <p role="status">{t.judging}</p>}
      {error !== null ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : list === undefined ? (
        <Skeleton rows={2} />
      ) : list.documents.length === 0 ? (
        <p className="muted">{t.empty}</p>
      ) : (
        <Table documents={list.documents} onDelete={mayChange ? setDoomed : undefined} />
      )}
      {doomed !== undefined && (
        <Confirm
          title={t.deleteTitle}
          text={t.deleteText(doomed.name)}
          verb={strings.common.delete}
          isBusy={remove.isPending}
          onConfirm={() => remove.mutate(doomed.id)}
          onClose={() => setDoomed(undefined)}
        />
      )}
    </Setting>
  );
}

interface TableProps {
  documents: VexEntry[];
  onDelete: ((document: VexEntry) => void) | undefined;
}

function Table({ documents, onDelete }: TableProps) {
  return (
    <table className="small-table">
      <thead>
        <tr>
          <th scope="col">{t.columns.name}</th>
          <th scope="col" className="is-end">
            {t.columns.statements}
          </th>
          <th scope="col" className="is-end">
            {t.columns.findings}
          </th>
          <th scope="col">{t.columns.by}</th>
          <th scope="col">{t.columns.when}</th>
          {onDelete !== undefined && (
            <th scope="col">
              <span className="visually-hidden">{t.columns.action}</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {documents.map((document) => (
          <tr key={document.id}>
            <td className="break">{document.source}</td>
            <td className="is-end">{count(document.statements)}</td>
            <td className="is-end">{count(document.findings)}</td>
            <td>{document.sent_by ?? strings.common.unknown}</td>
            <td>
              <Time at={document.created} />
            </td>
            {onDelete !== undefined && (
              <td className="is-end">
                <button
                  type="button"
                  className="button icon-button"
                  aria-label={`${strings.common.delete} ${document.name}`}
                  title={strings.common.delete}
                  onClick={() => onDelete(document)}
                >
                  <Icon name="trash" />
                </button>
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
