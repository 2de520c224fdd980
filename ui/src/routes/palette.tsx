// The command palette: one field for every page, action and image.

import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useId, useState, type KeyboardEvent } from "react";

import { imagesQuery } from "../api/queries";
import { Dialog } from "../components/dialog";
import { shortDigest } from "../lib/format";
import { matches } from "../lib/palette";
import { CHOICES, setPreference } from "../lib/preferences";
import { useMay } from "../lib/role";
import { signOut } from "../lib/sign-out";
import { useUpdateDatabase } from "../lib/update-database";
import { strings } from "../strings";
import "./palette.css";

interface Item {
  group: string;
  label: string;
  detail?: string;
  run: () => void;
}

interface Props {
  onClose: () => void;
  onShortcuts: () => void;
}

export default function Palette({ onClose, onShortcuts }: Props) {
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const items = [...useCommands(onShortcuts).filter((item) => matches(item.label, query)), ...useImages(query)];
  const at = Math.min(chosen, items.length - 1);

  const run = (item: Item | undefined) => {
    if (item === undefined) return;
    onClose();
    item.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && items.length > 0) {
      event.preventDefault();
      const next = (at + step + items.length) % items.length;
      setChosen(next);
      document.getElementById(`${listId}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(items[at]);
    }
  };
  return (
    <Dialog title={strings.palette.label} onClose={onClose} className="palette" isBare>
      <input
        className="palette-field"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={items.length > 0 ? `${listId}-${at}` : undefined}
        aria-label={strings.palette.label}
        placeholder={strings.palette.placeholder}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
        autoFocus
        autoComplete="off"
        spellCheck={false}
      />
      <div id={listId} role="listbox" aria-label={strings.palette.label} className="palette-list">
        {items.map((item, index) => (
          <div
            key={`${item.group} ${item.label} ${item.detail ?? ""}`}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === at}
            className="palette-item"
            onClick={() => run(item)}
            onPointerMove={() => setChosen(index)}
          >
            <span className="palette-label">{item.label}</span>
            <span className="muted">{item.detail ?? item.group}</span>
          </div>
        ))}
      </div>
      <p className="palette-hint muted" role="status">
        {items.length === 0 ? strings.palette.empty : strings.palette.hint}
      </p>
    </Dialog>
  );
}

function useCommands(onShortcuts: () => void): Item[] {
  const navigate = useNavigate();
  const client = useQueryClient();
  const update = useUpdateDatabase();
  const mayUpdate = useMay("operator");
  const page = (to: "/" | "/images" | "/hosts" | "/clusters" | "/kubernetes/admission" | "/alerts" | "/detections" | "/recommendations" | "/exemptions" | "/score" | "/compliance" | "/sensors" | "/checks" | "/scans" | "/connect" | "/settings", label: string): Item => ({
    group: strings.palette.pages,
    label,
    run: () => void navigate({ to }),
  });
  const action = (label: string, run: () => void): Item => ({ group: strings.palette.actions, label, run });
  const { themes, densities } = strings.settings.appearance;
  return [
    page("/", strings.nav.overview),
    page("/images", strings.nav.images),
    page("/hosts", strings.nav.hosts),
    page("/clusters", strings.nav.clusters),
    page("/kubernetes/admission", strings.nav.admission),
    page("/recommendations", strings.nav.recommendations),
    page("/alerts", strings.nav.alerts),
    page("/detections", strings.nav.detections),
    page("/exemptions", strings.nav.exemptions),
    page("/score", strings.nav.score),
    page("/compliance", strings.nav.compliance),
    page("/checks", strings.nav.checks),
    page("/sensors", strings.nav.sensors),
    page("/scans", strings.nav.scans),
    page("/connect", strings.nav.connect),
    page("/settings", strings.nav.settings),
    action(strings.scan.title, () => {
      void navigate({ to: "/" }).then(() => document.getElementById("scan-reference")?.focus());
    }),
    ...(mayUpdate ? [action(strings.palette.update, () => update.mutate())] : []),
    ...CHOICES.theme.map((theme) => action(strings.palette.theme(themes[theme]), () => setPreference("theme", theme))),
    ...CHOICES.density.map((density) =>
      action(strings.palette.density(densities[density]), () => setPreference("density", density)),
    ),
    action(strings.palette.shortcuts, onShortcuts),
    action(strings.settings.session.signOut, () => void signOut(client).then(() => navigate({ to: "/sign-in" }))),
  ];
}

function useImages(query: string): Item[] {
  const navigate = useNavigate();
  const q = useDeferredValue(query.trim());
  const { data } = useInfiniteQuery({ ...imagesQuery({ q }, 8), enabled: q.length >= 2 });
  if (query.trim().length < 2) return [];
  return (data?.pages[0]?.images ?? []).map((image) => ({
    group: strings.palette.images,
    label: image.references[0] ?? strings.images.noName,
    detail: shortDigest(image.digest),
    run: () => void navigate({ to: "/images/$digest", params: { digest: image.digest } }),
  }));
}
