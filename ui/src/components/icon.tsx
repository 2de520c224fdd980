// The icons, drawn on a 16 × 16 grid in one stroke width. They decorate: names come from the text beside them.

const PATHS = {
  overview: "M2.5 2.5h4.5v5H2.5zM9 2.5h4.5v3H9zM9 8h4.5v5.5H9zM2.5 10H7v3.5H2.5z",
  images: "M8 1.8 14 5 8 8.2 2 5zM2.4 8 8 11l5.6-3M2.4 11 8 14l5.6-3",
  hosts: "M2.5 2.5h11v4.5h-11zM2.5 9h11v4.5h-11zM5 4.8v.1M5 11.2v.1M8 4.8h3M8 11.2h3",
  clusters: "M8 1.8 13.4 4.9v6.2L8 14.2l-5.4-3.1V4.9zM8 8v6.2M8 8l5.4-3.1M8 8 2.6 4.9",
  admission: "M2 14h12M3.5 14V5L8 2l4.5 3v9M6 14V8.5h4V14",
  recommendations: "M8 1.8 13.5 4v4c0 3.2-2.2 5.3-5.5 6.3C4.7 13.3 2.5 11.2 2.5 8V4zM5.5 8l1.8 1.8L10.6 6.4",
  compliance: "M3 2.5h7.5L13 5v8.5H3zM5.5 7.5l1.3 1.3 2.4-2.6M5.5 11.5h5",
  sensors: "M8 8.2v.1M5.6 10.6a3.4 3.4 0 0 1 0-4.8M10.4 5.8a3.4 3.4 0 0 1 0 4.8M3.6 12.6a6.2 6.2 0 0 1 0-8.8M12.4 3.8a6.2 6.2 0 0 1 0 8.8",
  alerts: "M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4zM6.5 13.8h3",
  scans: "M2 5V3.2C2 2.5 2.5 2 3.2 2H5M11 2h1.8c.7 0 1.2.5 1.2 1.2V5M14 11v1.8c0 .7-.5 1.2-1.2 1.2H11M5 14H3.2C2.5 14 2 13.5 2 12.8V11M2 8h12",
  connect: "M4.8 11.5h6.6a2.6 2.6 0 0 0 .5-5.1 3.8 3.8 0 0 0-7.3-.9 3 3 0 0 0 .2 6z",
  settings: "M2 4.5h7M12.5 4.5H14M2 11.5h1.5M7 11.5h7M9 2.8h3.5v3.4H9zM3.5 9.8H7v3.4H3.5z",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "m2.5 8.5 3.5 3.5 7.5-8",
  close: "m3.5 3.5 9 9M12.5 3.5l-9 9",
  trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9M6.7 7v4M9.3 7v4",
  download: "M8 2v8.5M4.5 7.5 8 11l3.5-3.5M2.5 13.5h11",
  upload: "M8 11V2.5M4.5 5.5 8 2l3.5 3.5M2.5 13.5h11",
  warning: "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.4v.6",
  up: "m3.5 10 4.5-4.5L12.5 10",
  down: "m3.5 6 4.5 4.5L12.5 6",
  back: "M10 3.5 5.5 8l4.5 4.5",
  external: "M6.5 3.5h-4v10h10v-4M9 2.5h4.5V7M13.5 2.5l-6 6",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z",
  system: "M2 3h12v8H2zM6 13.5h4M8 11v2.5",
  help: "M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12v.4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a buoy on two waves. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#0b6e6e" />
      <g fill="none" strokeWidth="2.4" strokeLinecap="round" strokeLinejoin="round">
        <path d="M16 5v7m0 0-6 4h12z" stroke="#fff" />
        <path
          d="M5 20c2.8 0 2.8 2 5.5 2s2.8-2 5.5-2 2.8 2 5.5 2 2.8-2 5.5-2M8 26c2 0 2 1.6 4 1.6s2-1.6 4-1.6 2 1.6 4 1.6 2-1.6 4-1.6"
          stroke="#8fe3d7"
        />
      </g>
    </svg>
  );
}
