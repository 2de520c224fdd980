// Fields that write into the address.

import { useEffect, useRef, useState } from "react";

import { useHotkeys } from "../lib/hotkeys";
import { Icon } from "./icon";
import "./filter-bar.css";

/** Long enough for a word to be typed, short enough to feel live. */
const TYPING_MS = 200;

interface TextFilterProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A search field; `/` goes to it. */
export function TextFilter({ label, value = "", onChange }: TextFilterProps) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  // The address changed by something other than typing here.
  if (known !== value) {
    setKnown(value);
    if (typed.trim() !== value) setTyped(value);
  }
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === known) return;
    const timer = window.setTimeout(() => latest.current(wanted === "" ? undefined : wanted), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [typed, known]);
  useHotkeys({
    "/": () => {
      field.current?.focus();
      field.current?.select();
    },
  });
  return (
    <label className="text-filter">
      <span className="visually-hidden">{label}</span>
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoComplete="off"
        spellCheck={false}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

interface ToggleProps {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}

export function Toggle({ label, isOn, onChange }: ToggleProps) {
  return (
    <label className="toggle">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <label className="choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value as T)}>
        {options.map(([option, name]) => (
          <option key={option} value={option}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
