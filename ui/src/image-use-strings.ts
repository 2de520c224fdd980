// The words of what runs where: images of assets, and uses of images; see `strings.ts`.

import { count, plural } from "./lib/format";

const ONLY = { affected: "With findings", unscanned: "Not scanned" } as const;

export const imageUseStrings = {
  tab: "Runs on",
  lead: "What uses this image, by digest; where a runtime tells only a name, by name.",
  running: "Running now",
  empty: "Nothing is known to use this image",
  emptyHint: "Container hosts tell it through their sensor, clusters through what watches them.",
  filteredEmpty: "Nothing runs it now",
  heldIn: "Held in",
  columns: { asset: "Asset", kind: "About", place: "Object", name: "As", state: "State" },
  state: { running: "Running", idle: "Not running" },

  images: {
    tab: "Images",
    title: "Images",
    hint: "Which images these are, and what scans found in them",
    look: "What runs, and its findings",
    lead: (images: number, unscanned: number) =>
      unscanned === 0
        ? `${plural(images, "image", "images")}, all scanned`
        : `${plural(images, "image", "images")}, of which ${count(unscanned)} ${unscanned === 1 ? "was" : "were"} not scanned`,
    filter: "Filter by name",
    only: "Only",
    all: "All",
    onlyName: (only: keyof typeof ONLY) => ONLY[only],
    none: "It uses no image that is known",
    empty: "No images are known here",
    emptyHint: "They appear when the asset's facts have come, or when an image of the registry was scanned.",
    filteredEmpty: "No image fits",
    notScanned: "Not scanned",
    scan: "Scan",
    scanOf: (name: string) => `Scan ${name}`,
    asked: "Its scan was asked for",
    columns: { name: "Image", findings: "Findings", fixable: "Fixable", uses: "Running", scanned: "Scanned", action: "Action" },
    uses: (running: number, uses: number) => `${count(running)} of ${count(uses)}`,
  },
} as const;
