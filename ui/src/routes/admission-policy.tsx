// What a policy says of all recommendations.

import { type FormEvent, useState } from "react";

import { admissionStrings as t } from "../admission-strings";
import type { AdmissionPolicy } from "../api/types";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { generalOf, withGeneral } from "../lib/admission";
import { lines } from "../lib/parameters";
import { usePolicyChange } from "./admission-change";
import { ModeSelect } from "./admission-rule";
import { Trial } from "./admission-trial";

interface Props {
  policy: AdmissionPolicy;
  cluster: string | undefined;
  onClose: () => void;
}

export function PolicyDialog({ policy, cluster, onClose }: Props) {
  const [general, setGeneral] = useState(() => generalOf(policy.policy));
  const [left, setLeft] = useState(general.excluded.join("\n"));
  const changed = withGeneral(policy.policy, { ...general, excluded: lines(left) });
  const save = usePolicyChange(policy, cluster, onClose);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(changed);
  };
  return (
    <Dialog title={t.policySettings} onClose={onClose} className="is-wide-dialog">
      <p className="muted">{t.policyLead}</p>
      <form className="form" onSubmit={submit}>
        <label className="field">
          {t.policyMode}
          <ModeSelect value={general.mode} onChange={(mode) => setGeneral({ ...general, mode: mode ?? general.mode })} />
        </label>
        <label className="field">
          {t.updates}
          <select value={general.updates} onChange={({ target }) => setGeneral({ ...general, updates: target.value === "all" ? "all" : "introduced" })}>
            <option value="introduced">{t.updatesOf.introduced}</option>
            <option value="all">{t.updatesOf.all}</option>
          </select>
        </label>
        <label className="field">
          {t.unchecked}
          <select value={general.unchecked} aria-describedby="open-hint" onChange={({ target }) => setGeneral({ ...general, unchecked: target.value === "deny" ? "deny" : "admit" })}>
            <option value="admit">{t.uncheckedOf.admit}</option>
            <option value="deny">{t.uncheckedOf.deny}</option>
          </select>
        </label>
        <p id="open-hint" className="muted">
          {t.openHint}
        </p>
        <label className="field parameter">
          {t.excludedAll}
          <textarea className="input is-mono" rows={3} value={left} spellCheck={false} onChange={({ target }) => setLeft(target.value)} />
        </label>
        <Trial policy={changed} />
        <FormActions error={save.error} verb={t.save} isBusy={save.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}
