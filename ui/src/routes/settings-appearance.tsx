// Theme, density and clock of this browser.

import { Setting } from "../components/setting";
import { CHOICES, setPreference, usePreferences } from "../lib/preferences";
import { strings } from "../strings";

const t = strings.settings.appearance;

export function AppearanceSettings() {
  const { theme, density, clock } = usePreferences();
  return (
    <Setting title={t.title} lead={t.lead}>
      <div className="segment-rows">
        <Segments
          legend={t.theme}
          value={theme}
          options={CHOICES.theme}
          names={t.themes}
          onChange={(value) => setPreference("theme", value)}
        />
        <Segments
          legend={t.density}
          value={density}
          options={CHOICES.density}
          names={t.densities}
          onChange={(value) => setPreference("density", value)}
        />
        <Segments
          legend={t.clock}
          value={clock}
          options={CHOICES.clock}
          names={t.clocks}
          onChange={(value) => setPreference("clock", value)}
        />
      </div>
    </Setting>
  );
}

interface SegmentsProps<T extends string> {
  legend: string;
  value: T;
  options: readonly T[];
  names: Record<T, string>;
  onChange: (value: T) => void;
}

function Segments<T extends string>({ legend, value, options, names, onChange }: SegmentsProps<T>) {
  return (
    <fieldset className="segments">
      <legend>{legend}</legend>
      <div className="segments-row">
        {options.map((option) => (
          <label key={option}>
            <input type="radio" name={legend} checked={option === value} onChange={() => onChange(option)} />
            <span>{names[option]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
