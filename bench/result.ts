import type { Lab } from "../test/lab/lab.ts";
import type { Programs } from "./guard.ts";

/** One line of the result: two figures side by side, their ratio, and what it should be. */
export type Row = Readonly<{
  what: string;
  ours: string;
  theirs: string;
  ratio: string;
  target: string;
  verdict: "met" | "MISSED" | "";
}>;

/** Rates: `ratio` is ours over theirs, which must be at least `atLeast`; null: no target. */
export function higher(what: string, ours: Figure, theirs: Figure, atLeast: number | null): Row {
  const ratio = ours.value / theirs.value;
  return {
    what,
    ours: show(ours),
    theirs: show(theirs),
    ratio: times(ratio),
    target: atLeast === null ? "" : `at least ${atLeast}`,
    verdict: verdict(atLeast === null ? null : ratio >= atLeast),
  };
}

/** Times: `ratio` is ours over theirs, which must be at most one in `parts`; null: no target. */
export function lower(what: string, ours: Figure, theirs: Figure, parts: number | null): Row {
  const ratio = ours.value / theirs.value;
  return {
    what,
    ours: show(ours),
    theirs: show(theirs),
    ratio: `1/${digits(1 / ratio)}`,
    target: parts === null ? "" : `at most 1/${parts}`,
    verdict: verdict(parts === null ? null : ratio <= 1 / parts),
  };
}

/** A figure of our own against a bound; null: none. */
export function within(what: string, ours: Figure, most: number | null): Row {
  return {
    what,
    ours: show(ours),
    theirs: "",
    ratio: most === null ? "" : times(ours.value / most),
    target: most === null ? "" : `at most ${show({ ...ours, value: most })}`,
    verdict: verdict(most === null ? null : ours.value <= most),
  };
}

export type Figure = Readonly<{ value: number; unit: "/s" | "MB/s" | "ms" | "s" | "KB" | "MB" | "%" }>;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lowerOne = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lowerOne === undefined) throw new Error("the median of nothing");
  return (upper + lowerOne) / 2;
}

/** By nearest rank: of a hundred times, one is longer than the p99. */
export function percentiles(times: readonly number[]): Readonly<{ p50Ms: number; p99Ms: number }> {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

export function printTable(rows: readonly Row[]): string {
  const head = { what: "", ours: "guard", theirs: "other", ratio: "ratio", target: "target", verdict: "" };
  const lines = [head, ...rows].map(({ what, ours, theirs, ratio, target, verdict }) => [
    what,
    ours,
    theirs,
    ratio,
    target,
    verdict,
  ]);
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function show({ value, unit }: Figure): string {
  return unit === "/s" ? `${digits(value)}/s` : `${digits(value)} ${unit}`;
}

function times(ratio: number): string {
  return `${digits(ratio)}x`;
}

/** Three digits that mean something. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4;
  return value.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
}

function verdict(met: boolean | null): Row["verdict"] {
  return met === null ? "" : met ? "met" : "MISSED";
}

export type Bench = Readonly<{
  lab: Lab;
  programs: Programs;
  /** Fewer and shorter runs. */
  quick: boolean;
  /** One line of progress. */
  say: (line: string) => void;
}>;

/** One of the things that are measured. */
export type Part = Readonly<{ name: string; says: string; run: (bench: Bench) => Promise<readonly Row[]> }>;
