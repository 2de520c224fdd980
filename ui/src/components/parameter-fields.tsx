// Fields for the parameters of a recommendation. Each says what is wrong with it, and what its own value is.

import { useId } from "react";

import { fieldKind, type Parameter, type Understood, type Written, written } from "../lib/parameters";
import { strings } from "../strings";
import "./parameter-fields.css";

const t = strings.parameters;

interface Props {
  parameters: readonly [string, Parameter][];
  texts: Written;
  onChange: (texts: Written) => void;
  faults: Understood["faults"];
  /** What the server says of one of them. */
  refused?: { field: string; why: string } | undefined;
}

export function ParameterFields({ parameters, texts, onChange, faults, refused }: Props) {
  return parameters.map(([name, parameter]) => {
    const fault = faults[name];
    const why = fault !== undefined ? t.faults[fault] : refused?.field === `params.${name}` ? refused.why : undefined;
    return (
      <ParameterField
        key={name}
        parameter={parameter}
        text={texts[name] ?? written(parameter.default)}
        why={why}
        onChange={(text) => onChange({ ...texts, [name]: text })}
      />
    );
  });
}

interface FieldProps {
  parameter: Parameter;
  text: string;
  why: string | undefined;
  onChange: (text: string) => void;
}

function ParameterField({ parameter, text, why, onChange }: FieldProps) {
  const id = useId();
  const kind = fieldKind(parameter.default);
  const own = written(parameter.default);
  const shared = {
    id: `${id}-field`,
    value: text,
    "aria-describedby": `${id}-hint`,
    "aria-invalid": why !== undefined || undefined,
    spellCheck: false,
  };
  return (
    <div className="field parameter">
      {kind === "switch" ? (
        <label>
          <input type="checkbox" checked={text === "true"} aria-describedby={`${id}-hint`} onChange={({ target }) => onChange(String(target.checked))} />{" "}
          {parameter.title}
        </label>
      ) : (
        <>
          <label htmlFor={`${id}-field`}>{parameter.title}</label>
          {kind === "lines" || kind === "json" ? (
            <textarea className="input is-mono" rows={Math.min(6, Math.max(2, text.split("\n").length))} {...shared} onChange={({ target }) => onChange(target.value)} />
          ) : (
            <input className="input is-mono" inputMode={kind === "number" ? "numeric" : undefined} autoComplete="off" {...shared} onChange={({ target }) => onChange(target.value)} />
          )}
        </>
      )}
      <span id={`${id}-hint`} className="parameter-hint">
        {why !== undefined && (
          <span className="form-error" role="alert">
            {why}
          </span>
        )}
        <span>
          {kind === "lines" && `${t.lines} `}
          {t.own(kind === "switch" ? (own === "true" ? t.on : t.off) : own)}
          {text !== own && (
            <button type="button" className="link-button" onClick={() => onChange(own)}>
              {t.back}
            </button>
          )}
        </span>
      </span>
    </div>
  );
}
