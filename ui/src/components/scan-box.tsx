// Where scans begin: a reference, or an archive dropped in.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type DragEvent, type FormEvent } from "react";

import { api, data } from "../api/client";
import { withScan } from "../api/events";
import { scansQuery } from "../api/queries";
import type { Scan } from "../api/types";
import { upload } from "../api/upload";
import { announce } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import { Icon } from "./icon";
import { FormError } from "./states";
import "./scan-box.css";

export function ScanBox() {
  const mayScan = useMay("operator");
  return (
    <section className="panel scan-box" aria-labelledby="scan-box-title">
      <h2 id="scan-box-title">{strings.scan.title}</h2>
      {mayScan ? <ScanForm /> : <p className="muted">{strings.roles.scan}</p>}
    </section>
  );
}

function ScanForm() {
  const client = useQueryClient();
  const [reference, setReference] = useState("");
  const [isOver, setOver] = useState(false);
  const [sent, setSent] = useState(0);
  const picker = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController>(null);

  const onSuccess = (scan: Scan) => {
    // It may be here before its first event.
    client.setQueryData(scansQuery.queryKey, (list) => list && withScan(list, scan));
    announce(strings.scan.queuedToast);
  };
  const scan = useMutation({
    meta: { showsError: true },
    mutationFn: (reference: string) => data(api.POST("/api/v1/scans", { body: { reference } })),
    onSuccess: (scan) => {
      onSuccess(scan);
      setReference("");
    },
  });
  const send = useMutation({
    meta: { showsError: true },
    mutationFn: (file: File) => {
      stop.current = new AbortController();
      setSent(0);
      return upload(file, setSent, stop.current.signal);
    },
    onSuccess,
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reference.trim() !== "") scan.mutate(reference.trim());
  };
  const take = (files: FileList | null) => {
    const file = files?.item(0);
    if (file != null && !send.isPending) send.mutate(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const error = scan.error ?? (isAbort(send.error) ? null : send.error);
  const percent = Math.floor(sent * 100);
  return (
    <>
      <form onSubmit={submit} className="scan-form">
        <label className="visually-hidden" htmlFor="scan-reference">
          {strings.scan.reference}
        </label>
        <input
          id="scan-reference"
          className="input is-mono"
          value={reference}
          onChange={(event) => setReference(event.target.value)}
          placeholder={strings.scan.placeholder}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        <button type="submit" className="button is-primary" disabled={scan.isPending}>
          {strings.scan.submit}
        </button>
      </form>
      <div
        className={isOver ? "drop-zone is-over" : "drop-zone"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        {send.isPending ? (
          <div className="drop-progress">
            <span>{strings.scan.uploading(send.variables.name, percent)}</span>
            <progress max={1} value={sent} aria-label={strings.scan.uploading(send.variables.name, percent)} />
            <button type="button" className="button" onClick={() => stop.current?.abort()}>
              {strings.common.cancel}
            </button>
          </div>
        ) : (
          <>
            <Icon name="upload" />
            <div>
              <p>{strings.scan.drop}</p>
              <p className="muted">{strings.scan.dropHint}</p>
            </div>
            <input
              ref={picker}
              type="file"
              className="visually-hidden"
              tabIndex={-1}
              aria-label={strings.scan.browse}
              onChange={(event) => {
                take(event.target.files);
                // The same file may be chosen again.
                event.target.value = "";
              }}
            />
            <button type="button" className="button" onClick={() => picker.current?.click()}>
              {strings.scan.browse}
            </button>
          </>
        )}
      </div>
      <FormError error={error} />
    </>
  );
}

function isAbort(error: Error | null): boolean {
  return error?.name === "AbortError";
}
