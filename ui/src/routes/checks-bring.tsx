// Brings checks and benchmarks: from files or typed, tried before they are kept.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, data } from "../api/client";
import { keys } from "../api/queries";
import { FilePicker } from "../components/file-picker";
import { FormError } from "../components/states";
import { estateStrings } from "../estate-strings";
import { notify } from "../lib/messages";

const t = estateStrings.checks;

export function BringChecks() {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [replace, setReplace] = useState(false);
  const send = useMutation({
    meta: { showsError: true },
    mutationFn: (dry_run: boolean) =>
      data(
        api.POST("/api/v1/checks", {
          params: { query: { replace, dry_run } },
          body: text,
          // As it is: the server reads it, and says what is wrong with it.
          bodySerializer: () => text,
          headers: { "content-type": "application/yaml" },
        }),
      ),
    onSuccess: ({ saved, checks }) => {
      if (!saved) return;
      setText("");
      notify(t.saved(checks.length));
      void client.invalidateQueries({ queryKey: keys.posture });
    },
  });
  const read = async (files: FileList) => {
    const texts = await Promise.all([...files].map((file) => file.text()));
    setText((before) => [before, ...texts].filter((part) => part.trim() !== "").join("\n---\n"));
    send.reset();
  };
  const tested = send.data;
  return (
    <section className="panel" aria-labelledby="bring-title">
      <header className="panel-header">
        <h2 id="bring-title">{t.bring}</h2>
      </header>
      <div className="panel-text form">
        <p className="muted">{t.bringLead}</p>
        <div>
          <FilePicker accept=".yaml,.yml" label={t.files} multiple onPick={(files) => void read(files)} />
        </div>
        <label className="field">
          {t.text}
          <textarea
            className="input is-mono code-area"
            rows={12}
            spellCheck={false}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              send.reset();
            }}
          />
        </label>
        <label className="toggle">
          <input type="checkbox" checked={replace} onChange={(event) => setReplace(event.target.checked)} />
          {t.replace}
        </label>
        <div className="page-actions">
          <button type="button" className="button" disabled={send.isPending || text.trim() === ""} onClick={() => send.mutate(true)}>
            {t.test}
          </button>
          <button type="button" className="button is-primary" disabled={send.isPending || text.trim() === ""} onClick={() => send.mutate(false)}>
            {t.save}
          </button>
        </div>
        <div className="check-result">
          <FormError error={send.error} />
          {tested !== undefined && tested.faults.length === 0 && !tested.saved && (
            <p role="status">{t.good(tested.checks.length, tested.examples)}</p>
          )}
          {tested !== undefined && tested.faults.length > 0 && (
            <div role="alert">
              <p className="form-error">{t.faults(tested.faults.length)}</p>
              <ul>
                {tested.faults.map(({ name, example, fault }, at) => (
                  <li key={at}>
                    <strong>{name}</strong> {example != null && `${example}: `}
                    <pre>{fault}</pre>
                  </li>
                ))}
              </ul>
            </div>
          )}
        </div>
      </div>
    </section>
  );
}
