// What a policy says of one recommendation: what becomes of violations, where, and by which parameters.

import { type FormEvent, useState } from "react";

import { admissionStrings as t } from "../admission-strings";
import type { AdmissionPolicy, AdmissionRule } from "../api/types";
import { Dialog } from "../components/dialog";
import { FormActions } from "../components/form-actions";
import { Icon } from "../components/icon";
import { ParameterFields } from "../components/parameter-fields";
import { type Mode, MODES, policyMode, type Rule, ruleOf, withRule } from "../lib/admission";
import { lines, parametersOf, understood, type Written, written } from "../lib/parameters";
import { usePolicyChange } from "./admission-change";
import { Trial } from "./admission-trial";

interface Props {
  policy: AdmissionPolicy;
  cluster: string | undefined;
  rule: AdmissionRule;
  onClose: () => void;
}

export function RuleDialog({ policy, cluster, rule, onClose }: Props) {
  const said = ruleOf(policy.policy, rule.id);
  const parameters = parametersOf(rule.parameters);
  const [mode, setMode] = useState(said.mode);
  const [namespaces, setNamespaces] = useState(said.namespaces);
  const own = rule.excluded_namespaces.join("\n");
  const [left, setLeft] = useState((said.excluded ?? rule.excluded_namespaces).join("\n"));
  const [unscanned, setUnscanned] = useState(said.unscanned);
  const [texts, setTexts] = useState<Written>(() =>
    Object.fromEntries(Object.entries(said.parameters).map(([name, value]) => [name, written(value)])),
  );
  const { params, faults } = understood(parameters, texts);
  const hasFaults = Object.keys(faults).length > 0;
  const names = lines(left);
  const next: Rule = {
    mode,
    namespaces: namespaces.map(([name, one]): [string, Mode] => [name.trim(), one]).filter(([name]) => name !== ""),
    excluded: names.join("\n") === own ? undefined : names,
    parameters: params,
    unscanned,
  };
  const changed = withRule(policy.policy, rule.id, next);
  const save = usePolicyChange(policy, cluster, onClose);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!hasFaults) save.mutate(changed);
  };
  return (
    <Dialog title={rule.title} onClose={onClose} className="is-wide-dialog">
      <p className="muted">{t.ruleLead}</p>
      <form className="form" onSubmit={submit}>
        <label className="field">
          {t.mode}
          <ModeSelect value={mode} own={t.byPolicy(t.modes[policyMode(policy.policy)])} onChange={setMode} />
        </label>
        <Namespaces namespaces={namespaces} onChange={setNamespaces} />
        <label className="field parameter">
          {t.excludedOwn}
          <textarea className="input is-mono" rows={Math.min(6, Math.max(2, names.length))} value={left} spellCheck={false} onChange={({ target }) => setLeft(target.value)} />
        </label>
        <ParameterFields parameters={parameters} texts={texts} onChange={setTexts} faults={faults} />
        {rule.about_scans && (
          <label className="field">
            {t.unscanned}
            <ModeSelect value={unscanned} own={t.unscannedOwn} onChange={setUnscanned} />
          </label>
        )}
        <Trial policy={changed} recommendation={rule.id} isDisabled={hasFaults} />
        <FormActions error={save.error} verb={t.save} isBusy={save.isPending || hasFaults} onClose={onClose} />
      </form>
    </Dialog>
  );
}

interface SelectProps {
  value: Mode | undefined;
  /** What holds where nothing is chosen; without it, something has to be. */
  own?: string;
  label?: string;
  onChange: (mode: Mode | undefined) => void;
}

export function ModeSelect({ value, own, label, onChange }: SelectProps) {
  return (
    <select value={value ?? ""} aria-label={label} onChange={({ target }) => onChange(MODES.find((mode) => mode === target.value))}>
      {own !== undefined && <option value="">{own}</option>}
      {MODES.map((mode) => (
        <option key={mode} value={mode}>
          {t.modes[mode]}
        </option>
      ))}
    </select>
  );
}

type Named = Rule["namespaces"];

function Namespaces({ namespaces, onChange }: { namespaces: Named; onChange: (namespaces: Named) => void }) {
  const put = (at: number, next: Named[number]) => onChange(namespaces.map((one, row) => (row === at ? next : one)));
  return (
    <fieldset className="admission-namespaces">
      <legend>{t.namespaces}</legend>
      {namespaces.map(([name, mode], at) => (
        <div key={at} className="admission-namespace">
          <input className="input is-mono" aria-label={t.namespace} value={name} maxLength={253} spellCheck={false} autoComplete="off" onChange={({ target }) => put(at, [target.value, mode])} />
          <ModeSelect value={mode} label={t.namespaceMode} onChange={(next) => put(at, [name, next ?? mode])} />
          <button
            type="button"
            className="button icon-button"
            aria-label={t.removeNamespace(name)}
            title={t.removeNamespace(name)}
            onClick={() => onChange(namespaces.filter((_, row) => row !== at))}
          >
            <Icon name="trash" />
          </button>
        </div>
      ))}
      <button type="button" className="button is-small" onClick={() => onChange([...namespaces, ["", "audit"]])}>
        {t.addNamespace}
      </button>
    </fieldset>
  );
}
