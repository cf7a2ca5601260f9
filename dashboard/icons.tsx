import type { PAGES } from "./route.ts";

type Named = (typeof PAGES)[number];

/** Each on a grid of 24 by 24, drawn with one line. */
const PATHS: Readonly<Record<Named, string>> = {
  now: "M3 12h4l3-8 4 16 3-8h4",
  events: "M4 6h2M10 6h10M4 12h2M10 12h10M4 18h2M10 18h10",
  bans: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.8 5.8l12.4 12.4",
  mail: "M3 5h18v14H3zM3 6l9 7 9-7",
  accounts:
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM3 20c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5M16 5.4a3.5 3.5 0 0 1 0 6.3M17.5 14.8c2.2.7 3.5 2.5 3.5 5.2",
  find: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.2 16.2 21 21",
  system: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
};

export function Icon({ name }: Readonly<{ name: Named }>) {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
