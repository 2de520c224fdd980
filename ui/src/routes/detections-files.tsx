// Rule files that people bring: written or chosen, tested, run on past events, and only then in force.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, data, done } from "../api/client";
import { detectionFilesQuery, fileText } from "../api/detection-queries";
import { keys } from "../api/queries";
import type { DetectionFault, DetectionFile } from "../api/types";
import { Time, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { FilePicker } from "../components/file-picker";
import { Icon } from "../components/icon";
import { Loaded } from "../components/loaded";
import { Removal } from "../components/removal";
import { Empty, FormError } from "../components/states";
import { detectionStrings } from "../detection-strings";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { Backtest, useBacktest } from "./detection-backtest";
import "./alerts.css";
import "./detections.css";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const t = detectionStrings.files;

export function DetectionFilesPage() {
  useTitle(t.title);
  const mayChange = useMay("security_admin");
  const list = useQuery(detectionFilesQuery);
  const [doomed, setDoomed] = useState<DetectionFile>();
  const [edited, setEdited] = useState<{ name: string; text: string }>();
  const edit = useMutation({
    mutationFn: async ({ name }: DetectionFile) => ({ name, text: await fileText(name) }),
    onSuccess: setEdited,
  });
  return (
    <div className="page">
      <Link to="/detections" search={{}} className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      <h1>{t.title}</h1>
      <p className="muted">{t.lead}</p>
      <Loaded query={list} rows={3}>
        {({ files }) =>
          files.length === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <DataTable
              label={t.title}
              columns={columns(mayChange ? { edit: edit.mutate, remove: setDoomed } : undefined)}
              rows={files}
              rowKey={({ name }) => name}
              rowHeight={3.25}
              total={files.length}
            />
          )
        }
      </Loaded>
      <FormError error={edit.error} />
      {mayChange ? (
        <Editor key={edited?.name ?? ""} first={edited} onFresh={() => setEdited(undefined)} />
      ) : (
        <p className="muted">{t.forbidden}</p>
      )}
      <Removal
        item={doomed}
        title={t.deleteTitle}
        text={({ name }) => t.deleteText(name)}
        verb={t.delete}
        remove={({ name }) => done(api.DELETE("/api/v1/detection-files/{name}", { params: { path: { name } } }))}
        told={t.deleted}
        stale={keys.alerts}
        onClose={() => setDoomed(undefined)}
      />
    </div>
  );
}

interface Acts {
  edit: (file: DetectionFile) => void;
  remove: (file: DetectionFile) => void;
}

function columns(acts: Acts | undefined): Column<DetectionFile>[] {
  const action: Column<DetectionFile> = {
    id: "action",
    header: <span className="visually-hidden">{t.columns.action}</span>,
    width: "6.5rem",
    align: "end",
    cell: (file) => (
      <button type="button" className="button is-small" aria-label={`${t.delete}: ${file.name}`} onClick={() => acts?.remove(file)}>
        {t.delete}
      </button>
    ),
  };
  return [
    {
      id: "name",
      header: t.columns.name,
      width: "30%",
      cell: (file) => (
        <span className="two-lines">
          {acts === undefined ? (
            file.name
          ) : (
            <button type="button" className="link-button" data-row-link="" title={t.edit} onClick={() => acts.edit(file)}>
              {file.name}
            </button>
          )}
          <span className={file.faults.some(({ is_error: isError }) => isError) ? "form-error" : "muted"}>
            {file.faults.length > 0 && t.faults(file.faults.length)}
          </span>
        </span>
      ),
    },
    {
      id: "detections",
      header: t.columns.detections,
      cell: ({ detections }) => (
        <span className="words">
          {detections.slice(0, 4).map((id) => (
            <Link key={id} to="/detections/$id" params={{ id }}>
              {id}
            </Link>
          ))}
          {detections.length > 4 && <span className="muted">+{detections.length - 4}</span>}
        </span>
      ),
    },
    { id: "author", header: t.columns.author, width: "9rem", isMinor: true, cell: ({ author }) => author },
    { id: "changed", header: t.columns.changed, width: "8rem", cell: ({ changed }) => <Time at={changed} /> },
    ...(acts === undefined ? [] : [action]),
  ];
}

function Editor({ first, onFresh }: { first: { name: string; text: string } | undefined; onFresh: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(first?.name ?? "");
  const [text, setText] = useState(first?.text ?? "");
  const backtest = useBacktest();
  const send = useMutation({
    meta: { showsError: true },
    mutationFn: (dry_run: boolean) =>
      data(
        api.PUT("/api/v1/detection-files/{name}", {
          params: { path: { name: name.trim() }, query: { dry_run } },
          body: text,
          // As it is: the server reads it, and says what is wrong with it.
          bodySerializer: () => text,
          headers: { "content-type": "application/yaml" },
        }),
      ),
    onSuccess: ({ saved }) => {
      if (!saved) return;
      notify(t.saved(name.trim()));
      void client.invalidateQueries({ queryKey: keys.alerts });
    },
  });
  const read = async (file: File) => {
    setName(file.name);
    setText(await file.text());
    send.reset();
  };
  const isEmpty = text.trim() === "" || name.trim() === "";
  const tested = send.data;
  return (
    <section className="panel" aria-labelledby="bring-title">
      <header className="panel-header">
        <h2 id="bring-title">{first === undefined ? t.bring : t.change(first.name)}</h2>
        {first !== undefined && (
          <button type="button" className="button is-small" onClick={onFresh}>
            {t.fresh}
          </button>
        )}
      </header>
      <div className="file-form">
        <div className="backtest-form">
          <label className="field">
            {t.name}
            <input
              className="input is-mono"
              value={name}
              placeholder={t.nameHint}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => {
                setName(event.target.value);
                send.reset();
              }}
            />
          </label>
          <FilePicker accept=".yaml,.yml" label={t.pick} onPick={([file]) => file !== undefined && void read(file)} />
        </div>
        <label className="field">
          {t.text}
          <textarea
            className="input is-mono code-area"
            rows={16}
            spellCheck={false}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              send.reset();
            }}
          />
        </label>
        <div className="page-actions">
          <button type="button" className="button" disabled={send.isPending || isEmpty} onClick={() => send.mutate(true)}>
            {t.test}
          </button>
          <button type="button" className="button is-primary" disabled={send.isPending || isEmpty} onClick={() => send.mutate(false)}>
            {t.save}
          </button>
        </div>
        <FormError error={send.error} />
        {tested !== undefined && <Tested faults={tested.faults} detections={tested.detections.length} examples={tested.examples} />}
        <Backtest
          backtest={backtest}
          asked={() => (isEmpty ? undefined : { file: { name: name.trim(), content: text }, clusters: [] })}
        />
      </div>
    </section>
  );
}

function Tested({ faults, detections, examples }: { faults: readonly DetectionFault[]; detections: number; examples: number }) {
  if (faults.length === 0) return <p role="status">{t.good(detections, examples)}</p>;
  return (
    <div role="alert">
      <p>{t.bad(faults.length)}</p>
      <ul className="fault-list">
        {faults.map(({ line, column, code, item, message, is_error: isError }, at) => (
          <li key={at}>
            <strong className={isError ? "form-error" : undefined}>{isError ? t.error : t.warning}</strong>{" "}
            {line > 0 && (
              <span className="is-mono">
                {t.line(line)}
                {column > 0 && `:${column}`}
              </span>
            )}{" "}
            {item !== "" && `${item}: `}
            {message} <span className="muted is-mono">{code}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
