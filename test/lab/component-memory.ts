import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Product } from "./product.ts";

/** The memory of one service: its first process and all descendants. Megabytes. */
export type ComponentMemory = Figures & Readonly<{ name: string }>;
type Figures = Readonly<ReturnType<typeof figuresOf>>;

type ByPid<T> = ReadonlyMap<number, T>;

/** `getconf CLK_TCK`: the same on every Linux that Debian supports. */
const CLOCK_TICKS = 100;

/** The memory of the whole running server, by runit service, largest first. */
export function memoryOfComponents(product: Product): readonly ComponentMemory[] {
  const services = servicesOf(product.layout.services);
  const pids = product.pidsOf(/./);
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const byService = Map.groupBy(pids, (pid) => serviceOf(pid, services, parents) ?? besides(pid));
  const components = Array.from(byService, ([name, ofService]) => totalOf(ofService.map(figuresOf), name));
  return components.toSorted((a, b) => b.mb - a.mb);
}

export function totalOf(all: readonly Figures[], name = "all"): ComponentMemory {
  const sum = (of: keyof Figures): number => all.reduce((total, one) => total + one[of], 0);
  return {
    name,
    processes: sum("processes"),
    mb: sum("mb"),
    anonymousMb: sum("anonymousMb"),
    processorS: sum("processorS"),
  };
}

function figuresOf(pid: number) {
  const rollup = textOf(`/proc/${pid}/smaps_rollup`);
  return {
    processes: 1,
    /** `Pss` of proc(5): shared pages are divided among their processes. */
    mb: megabytes(rollup, "Pss"),
    /** The part that the kernel cannot drop and reread from a file. */
    anonymousMb: megabytes(rollup, "Pss_Anon"),
    processorS: processorSecondsOf(pid),
  };
}

/** Processor time that a process has used (proc_pid_stat(5)). Seconds; 0 once it has ended. */
export function processorSecondsOf(pid: number | undefined): number {
  const fields = textOf(`/proc/${pid}/stat`)
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / CLOCK_TICKS;
}

/** Services by the process that runsv(8) started. */
function servicesOf(directory: string): ByPid<string> {
  const pids = readdirSync(directory).map((name) => textOf(join(directory, name, "supervise", "pid")).trim());
  return new Map(readdirSync(directory).flatMap((name, i) => (pids[i] === "" ? [] : [[Number(pids[i]), name]])));
}

function serviceOf(pid: number, services: ByPid<string>, parents: ByPid<number>): string | null {
  for (let at: number | undefined = pid; at !== undefined; at = parents.get(at)) {
    const service = services.get(at);
    if (service !== undefined) return service;
  }
  return null;
}

/** Names a process outside services: a supervisor, a log writer or `npm start`. */
function besides(pid: number): string {
  return /^(runsv|svlogd)/.test(textOf(`/proc/${pid}/cmdline`)) ? "supervision" : "npm start";
}

export const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)$/m.exec(textOf(`/proc/${pid}/status`))?.[1]);

function megabytes(rollup: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0) / 1024;
}

/** The text of a file about a process; empty if the process has ended since. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
