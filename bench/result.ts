import type { Lab } from "../test/lab/lab.ts";
import type { Programs } from "./guard.ts";

const COLUMNS = ["what", "ours", "theirs", "ratio", "target", "verdict"] as const;
/** One line of the result: two figures, their ratio, and the target. */
export type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

/** For rates. `ratio` is ours over theirs, which must be at least `atLeast`; null means no target. */
export function higher(what: string, ours: Figure, theirs: Figure, atLeast: number | null): Row {
  const ratio = ours.value / theirs.value;
  const row = { ...untargeted(what, show(ours), show(theirs)), ratio: times(ratio) };
  return atLeast === null ? row : { ...row, target: `at least ${atLeast}`, verdict: verdict(ratio >= atLeast) };
}

/** For times. `ratio` is ours over theirs, which must be at most one in `parts`; null means no target. */
export function lower(what: string, ours: Figure, theirs: Figure, parts: number | null): Row {
  const ratio = ours.value / theirs.value;
  const row = { ...untargeted(what, show(ours), show(theirs)), ratio: `1/${digits(1 / ratio)}` };
  return parts === null ? row : { ...row, target: `at most 1/${parts}`, verdict: verdict(ratio <= 1 / parts) };
}

/** For a figure of our own with a bound; null means none. */
export function within(what: string, ours: Figure, most: number | null): Row {
  const row = untargeted(what, show(ours));
  if (most === null) return row;
  const target = `at most ${show({ ...ours, value: most })}`;
  return { ...row, ratio: times(ours.value / most), target, verdict: verdict(ours.value <= most) };
}

export function untargeted(what: string, ours: string, theirs = ""): Row {
  return { what, ours, theirs, ratio: "", target: "", verdict: "" };
}

export function verdict(isMet: boolean): string {
  return isMet ? "met" : "MISSED";
}

export type Figure = Readonly<{ value: number; unit: "/s" | "MB/s" | "ms" | "s" | "KB" | "MB" | "%" }>;

export function ms(value: number): Figure {
  return { value, unit: "ms" };
}

/** With separators: 10,000,000. */
export function counted(n: number): string {
  return Math.round(n).toLocaleString("en");
}

/** By nearest rank, so that of a hundred times, one is longer than the p99. */
export function percentiles(times: readonly number[]): Readonly<{ p50Ms: number; p99Ms: number }> {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

type Measured = Readonly<{ what: string; times: readonly number[] }>;

/** Prints how long each took. Returns the slowest, by its p99. */
export function slowestOf(all: readonly Measured[], say: Bench["say"]): Readonly<{ what: string; p99Ms: number }> {
  let slowest = { what: "", p99Ms: 0 };
  for (const { what, times: took } of all) {
    const { p50Ms, p99Ms } = percentiles(took);
    say(`${what}: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`);
    if (p99Ms > slowest.p99Ms) slowest = { what, p99Ms };
  }
  return slowest;
}

export function printTable(rows: readonly Row[]): string {
  const head = { ...untargeted("", "guard", "other"), ratio: "ratio", target: "target" };
  const lines = [head, ...rows].map((row) => COLUMNS.map((column) => row[column]));
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

/** Three significant digits. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4;
  return value.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
}

export type Bench = Readonly<{
  lab: Lab;
  programs: Programs;
  /** Fewer and shorter runs. */
  quick: boolean;
  /** Prints one line of progress. */
  say: (line: string) => void;
}>;

/** One part of the benchmark. */
export type Part = Readonly<{ name: string; says: string; run: (bench: Bench) => Promise<readonly Row[]> }>;
