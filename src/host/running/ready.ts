import { statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { failureOf } from "../../core/error.ts";
import type { Outcome } from "../../guard/ports.ts";
import { type Layout, serviceLog } from "../../settings/layout.ts";
import { appendFile, truncateFile } from "../root-files/files.ts";
import { answers } from "../sockets/unix-socket.ts";
import { busyPorts, listeners, type ServerPort } from "./ports.ts";
import { SERVICES, type ServiceName } from "./runit.ts";
import { pidOf } from "./supervise.ts";
import { tail } from "./supervised.ts";

const POLL_MS = 100;
/** Long enough for a slow machine during boot. Services that keep exiting are detected sooner. */
export const SERVICES_READY_MS = 120_000;
/** runsv(8) tries once a second. A service that has ended this often will not start. */
const TRIES = 4;
const LOG_LINES = 5;

/** `mayWait`: ports that may open later. One that cannot be opened now is reported to `warn`, and no longer awaited. */
type WaitOptions = Readonly<{ patienceMs?: number; mayWait?: readonly ServerPort[]; warn?: (says: string) => void }>;

/**
 * Waits until every port is open and the guard and the keeper answer, or until it is clear that this will not happen. Waits for the
 * dashboard only if its port is among these, and never for the exporter.
 */
export async function waitUntilReady(
  layout: Layout,
  serverPorts: readonly ServerPort[],
  stopped: () => boolean,
  { patienceMs = SERVICES_READY_MS, mayWait = [], warn = () => undefined }: WaitOptions = {},
): Promise<Outcome> {
  const deadline = performance.now() + patienceMs;
  const tries = new Map<ServiceName, Set<number>>(SERVICES.map((service) => [service, new Set()]));
  let awaited = serverPorts;
  const failed = ({ service, what }: Missing): Missing | null => {
    for (const [each, pids] of tries) {
      const pid = pidOf(layout.services, each);
      if (pid !== null) pids.add(pid);
      const counts = each === "web" ? awaited.some((port) => port.service === "web") : each !== "export";
      if (counts && pids.size >= TRIES) return { service: each, what: `${each} keeps exiting. Its last log lines:` };
    }
    const says = `${what} after ${patienceMs / 1000} s. Last log lines of ${service}:`;
    return performance.now() > deadline ? { service, what: says } : null;
  };
  for (;;) {
    const missing = await notReady(layout, awaited);
    if (missing === null || stopped()) return { ok: true };
    const why = failed(missing);
    if (why === null) {
      await pause(POLL_MS);
      continue;
    }
    const own = awaited.filter((port) => port.service === why.service && mayWait.includes(port));
    const busy = await busyPorts(own);
    if (busy.length === 0) return { ok: false, reason: `${why.what}\n${lastLogLines(layout, why.service)}` };
    for (const { says } of busy) warn(says);
    awaited = awaited.filter((port) => !busy.some(({ serverPort }) => serverPort === port));
  }
}

type Missing = Readonly<{ service: ServiceName; what: string }>;

async function notReady(layout: Layout, serverPorts: readonly ServerPort[]): Promise<Missing | null> {
  if (!(await answers(layout.policySocket))) return { service: "guard", what: "The guard does not answer Postfix" };
  if (!(await answers(layout.controlSocket))) return { service: "guard", what: "The guard does not accept commands" };
  if (!(await answers(layout.keeperSocket))) return { service: "keeper", what: "The keeper does not answer" };
  // Without Rspamd no mail is accepted.
  if (!(await answers(layout.rspamdSocket))) return { service: "rspamd", what: "Rspamd does not answer Postfix" };
  const open = new Set(listeners().map(({ port }) => port));
  const closed = serverPorts.find(({ port }) => !open.has(port));
  return closed === undefined
    ? null
    : { service: closed.service, what: `Port ${closed.port} (${closed.setting}) is not open` };
}

/** The end of the service's own log, or of the mail log, to which Postfix and Dovecot mostly write. */
function lastLogLines(layout: Layout, service: ServiceName): string {
  const own = tail(serviceLog(layout, service), LOG_LINES);
  const lines =
    own.length > 0 || service === "guard" || service === "web" || service === "keeper"
      ? own
      : tail(layout.mailLog, LOG_LINES);
  return lines.length === 0 ? "  (none)" : lines.map((line) => `  ${line}`).join("\n");
}

/** A start writes a few lines, so this is enough for years. */
const MOST_BYTES = 256 * 1024;
const CLEAR_LINE = "\r\x1b[K";

/** The messages of the start, on its terminal and in a log, where they can be read when the terminal is gone. */
export class StartLog {
  isTerminalGone = false;
  #file: string | null = null;
  #hasProgress = false;

  /** Makes messages go to this file too, unless its directory is still missing. */
  open(file: string): void {
    this.#file = file;
    failureOf(() => {
      if (statSync(file).size > MOST_BYTES) truncateFile(file, 0);
    });
  }

  /** A progress message: first a normal line, then updates of the same terminal line. */
  progress(text: string): void {
    if (!this.#hasProgress) this.note(text);
    if (process.stdout.isTTY) process.stdout.write(`${CLEAR_LINE}${text}`);
    else if (!this.#hasProgress) console.log(text);
    this.#hasProgress = true;
  }

  endProgress(): void {
    if (this.#hasProgress && process.stdout.isTTY) process.stdout.write("\n");
    this.#hasProgress = false;
  }

  say(text: string): void {
    console.log(text);
    this.note(text);
  }

  warn(text: string): void {
    console.error(`ghostinbox: warning: ${text}`);
    this.note(`warning: ${text}`);
  }

  fail(text: string): void {
    console.error(`ghostinbox: ${text}`);
    this.note(`${FAILED}${text}`);
  }

  /** Writes only to the file. Its lines start like those of svlogd(8) with -tt. */
  note(text: string): void {
    const file = this.#file;
    if (file === null) return;
    const at = new Date().toISOString().slice(0, -1).replace("T", "_");
    const lines = text.split("\n").map((line) => `${at} ${line}\n`);
    // A full disk does not stop a server, and the message is on the terminal.
    failureOf(() => appendFile(file, lines.join("")));
  }
}

/** Precedes the reason for which a start failed. */
const FAILED = "failed: ";

/** The last reason in the text of such a log for which a start failed; null if there is none. */
export function lastFailure(log: string): string | null {
  const line = log.split("\n").findLast((text) => text.slice(text.indexOf(" ") + 1).startsWith(FAILED));
  return line?.slice(line.indexOf(FAILED) + FAILED.length) ?? null;
}
