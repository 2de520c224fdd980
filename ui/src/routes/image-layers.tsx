// The layers of an image. Choosing one filters what is beside them.

import type { LayerDetail } from "../api/types";
import { SeverityCounts } from "../components/severity";
import { Skeleton } from "../components/states";
import { readableCommand } from "../lib/command";
import { bytes, plural } from "../lib/format";
import { total } from "../lib/severity";
import { strings } from "../strings";

interface Props {
  layers: LayerDetail[] | undefined;
  layer: number | undefined;
  onChange: (layer: number | undefined) => void;
}

const t = strings.image;

export function Layers({ layers, layer, onChange }: Props) {
  return (
    <section className="layers" aria-labelledby="layers-title">
      <header className="panel-header">
        <h2 id="layers-title">{t.layers}</h2>
        {layer !== undefined && (
          <button type="button" className="button is-small" onClick={() => onChange(undefined)}>
            {t.allLayers}
          </button>
        )}
      </header>
      {layers === undefined ? (
        <Skeleton rows={5} />
      ) : (
        <ol>
          {layers.map((one) => (
            <li key={one.index}>
              <button
                type="button"
                className="layer"
                aria-pressed={one.index === layer}
                onClick={() => onChange(one.index === layer ? undefined : one.index)}
              >
                <span className="layer-index">
                  <span className="visually-hidden">{t.layer(one.index)}</span>
                  <span aria-hidden="true">{one.index}</span>
                </span>
                <span className="layer-command" title={one.created_by}>
                  {one.created_by === "" ? t.noCommand : readableCommand(one.created_by)}
                </span>
                <span className="layer-facts">
                  {bytes(one.size_bytes)} · {plural(one.packages, "package")}
                </span>
                {total(one.findings) > 0 && <SeverityCounts counts={one.findings} isTerse />}
              </button>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
