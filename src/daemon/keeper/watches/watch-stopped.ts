import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../../../core/error.ts";
import { plural } from "../../../core/text.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { SERVICES } from "../../../render/runit.ts";
import type { KeeperTrouble } from "../../../wire/control/keeper.ts";

const LOOK_EVERY_MS = 4 * SECOND_MS;
/** Checks in a row that find the same process: a debugger or a short `kill -STOP; kill -CONT` is not reported. */
const LOOKS = 2;
/** After this many, a program that writes a log is continued: about 16 s. */
const LOOKS_OF_WRITERS = 4;
/** No probe asks them, and once some kilobytes wait, every program that logs to them hangs too. */
const LOG_WRITERS: readonly string[] = ["svlogd", "postlogd"];
const MOST_NAMED = 3;

/** A process's fields of /proc/PID/stat (proc(5)). */
type Stat = Readonly<{ pid: number; name: string; state: string; parent: number; startedAt: string }>;
/** Stopped by a signal (SIGSTOP, SIGTSTP). A process stopped by a debugger is in state t. */
const STOPPED = "T";

export type StoppedWatchParts = Readonly<{
  services: string;
  /** Sends SIGCONT. */
  proceed: (pid: number) => void;
  say: (what: string) => void;
}>;

/**
 * Finds programs of the server that a signal has stopped. Probes detect that a part does not work; this names the
 * process and the cause, and finds programs that no probe asks.
 */
export class StoppedWatch {
  readonly #parts: StoppedWatchParts;
  #seen = new Map<string, Readonly<{ stat: Stat; looks: number }>>();
  #lookAt = 0;

  constructor(parts: StoppedWatchParts) {
    this.#parts = parts;
  }

  /** Call it about every second. */
  look(nowMs: number = performance.now()): void {
    if (nowMs < this.#lookAt) return;
    this.#lookAt = nowMs + LOOK_EVERY_MS;
    const stopped = this.#family().filter(({ state }) => state === STOPPED);
    this.#seen = new Map(
      stopped.map((stat) => [keyOf(stat), { stat, looks: (this.#seen.get(keyOf(stat))?.looks ?? 0) + 1 }]),
    );
    for (const { stat, looks } of this.#seen.values())
      if (looks >= LOOKS_OF_WRITERS && LOG_WRITERS.includes(stat.name)) this.#proceed(stat);
  }

  troubles(): readonly KeeperTrouble[] {
    const stopped = [...this.#seen.values()].filter(({ looks }) => looks >= LOOKS).map(({ stat }) => stat);
    if (stopped.length === 0) return [];
    const named = stopped.slice(0, MOST_NAMED).map(({ pid, name }) => `${name} (pid ${pid})`);
    const more = stopped.length > MOST_NAMED ? ` and ${plural(stopped.length - MOST_NAMED, "other")}` : "";
    const pids = stopped.map(({ pid }) => pid).join(" ");
    return [{ code: "process_stopped", detail: `${named.join(", ")}${more}. Try: kill -CONT ${pids}` }];
  }

  #proceed({ pid, name }: Stat): void {
    const { proceed, say } = this.#parts;
    say(`${name} (pid ${pid}) was stopped by a signal: it is continued.`);
    proceed(pid);
  }

  /** Processes that runsv(8) started, and all below them. */
  #family(): readonly Stat[] {
    const all = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap(statOf);
    const children = Map.groupBy(all, ({ parent }) => parent);
    const roots = new Set(SERVICES.flatMap((service) => this.#rootsOf(service)));
    const found = new Set(all.filter(({ pid }) => roots.has(pid)));
    for (const one of found) for (const child of children.get(one.pid) ?? []) found.add(child);
    return [...found];
  }

  #rootsOf(service: string): readonly number[] {
    const { services } = this.#parts;
    return ["supervise", "log/supervise"].flatMap((at) => {
      const pid = textOf(join(services, service, at, "pid")).trim();
      return /^\d+$/.test(pid) ? [Number(pid)] : [];
    });
  }
}

/** The number may later belong to a different process. */
function keyOf({ pid, startedAt }: Stat): string {
  return `${pid} ${startedAt}`;
}

function statOf(pid: string): readonly Stat[] {
  const text = textOf(`/proc/${pid}/stat`);
  // The name may contain spaces and parentheses.
  const [from, to] = [text.indexOf("("), text.lastIndexOf(")")];
  const [state = "", parent = "", ...rest] = text.slice(to + 2).split(" ");
  if (from < 0 || to < from) return [];
  const name = text.slice(from + 1, to);
  return [{ pid: Number(pid), name, state, parent: Number(parent), startedAt: rest[17] ?? "" }];
}

/** Empty if it has ended since. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(codeOf(error))) return "";
    throw error;
  }
}
