// The audit policy that is said to be in force in a cluster: given as a file or as text, and what detections see by it.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { alertStrings } from "../alert-strings";
import { auditCoverageQuery, auditPolicyQuery } from "../api/alert-queries";
import { api, data, done } from "../api/client";
import { keys } from "../api/queries";
import type { AuditPolicyText } from "../api/types";
import { ExactTime } from "../components/bits";
import { Dialog } from "../components/dialog";
import { FilePicker } from "../components/file-picker";
import { FormActions } from "../components/form-actions";
import { Loaded } from "../components/loaded";
import { notify } from "../lib/messages";
import { CoverageTable } from "./audit-coverage";
import "../components/parameter-fields.css";
import "./detections.css";

const t = alertStrings.audit;

export function PolicyDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const policy = useQuery(auditPolicyQuery(name));
  return (
    <Dialog title={t.policyTitle(name)} onClose={onClose} className="is-wide-dialog">
      <Loaded query={policy} rows={4}>
        {(known) => <PolicyForm name={name} known={known} onClose={onClose} />}
      </Loaded>
    </Dialog>
  );
}

function PolicyForm({ name, known, onClose }: { name: string; known: AuditPolicyText | null; onClose: () => void }) {
  const client = useQueryClient();
  const [text, setText] = useState(known?.content ?? "");
  const coverage = useQuery(auditCoverageQuery(name));
  const path = { params: { path: { name } } };
  const refresh = () => client.invalidateQueries({ queryKey: keys.alerts });
  const save = useMutation({
    meta: { showsError: true },
    mutationFn: () =>
      data(
        api.PUT("/api/v1/audit/clusters/{name}/policy", {
          ...path,
          body: text,
          // As it is: the server reads it, and says what is wrong with it.
          bodySerializer: () => text,
          headers: { "content-type": "application/yaml" },
        }),
      ),
    onSuccess: () => {
      notify(t.policySaved);
      return refresh();
    },
  });
  const forget = useMutation({
    meta: { showsError: true },
    mutationFn: () => done(api.DELETE("/api/v1/audit/clusters/{name}/policy", path)),
    onSuccess: async () => {
      notify(t.policyForgotten);
      await refresh();
      onClose();
    },
  });
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <p className="muted">{t.policyLead}</p>
      {known !== null && (
        <p className="muted">
          {t.policyBy(known.author)} <ExactTime at={known.changed} />
        </p>
      )}
      <p>
        <FilePicker accept=".yaml,.yml,.json" label={t.policyPick} onPick={([file]) => void file?.text().then(setText)} />
      </p>
      <label className="field">
        {t.policyText}
        <textarea className="input is-mono code-area" rows={10} spellCheck={false} required value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      {known !== null && coverage.data !== undefined && (
        <section className="alert-section" aria-label={t.coverage}>
          <CoverageTable coverage={coverage.data} isTrouble />
        </section>
      )}
      <FormActions error={save.error ?? forget.error} verb={t.policySave} isBusy={save.isPending || text.trim() === ""} onClose={onClose}>
        {known !== null && (
          <button type="button" className="button" disabled={forget.isPending} onClick={() => forget.mutate()}>
            {t.policyForget}
          </button>
        )}
      </FormActions>
    </form>
  );
}
