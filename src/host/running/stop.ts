import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { readOr } from "../../core/error.ts";
import type { Failed } from "../../guard/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { TABLE } from "../firewall/guard-table.ts";
import { listTable, loadNft, removeTable } from "../firewall/run-nft.ts";
import { STRICT_TABLE } from "../firewall/strict-rules.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { isForeign, lockHolder } from "./data-directory.ts";
import type { ServerPort } from "./ports.ts";
import { becomes, endOrphans, processesOf, runsForAnother, signal } from "./processes.ts";
import { startTimeOf } from "./read-processes.ts";
import { lastFailure, SERVICES_READY_MS, waitUntilReady } from "./ready.ts";

/** Makes the running start stop everything and start again in the same process. */
export const RESTART_SIGNAL = "SIGUSR2";
/** A start gives its programs 15 s to end and kills the rest, which takes at most another 15 s. */
const STOP_MS = 45_000;
/** Allows for the preparation, which takes seconds before the services start. */
const READY_MS = SERVICES_READY_MS + 50_000;

export type Stopped = Readonly<{ ok: true; wasRunning: boolean }> | Failed;

/** Stops the server of this data directory, or the rest of a killed start. Waits until its processes and firewall tables are gone. */
export async function stopServer(layout: Layout, patienceMs: number = STOP_MS): Promise<Stopped> {
  const holder = lockHolder(layout.startPid);
  // A directory such as /srv would include other people's programs.
  if (holder === null && isForeign(layout))
    return {
      ok: false,
      reason: `${layout.data} holds other programs' files and no ghostinbox.toml, so no program there is stopped.`,
    };
  const wasRunning = holder !== null || processesOf(layout.data).length > 0;
  if (holder !== null) {
    const since = startTimeOf(holder);
    signal(holder, "SIGTERM");
    // Waits for the process, not only its lock. Otherwise a second start that waits for the lock could continue.
    const ended = await becomes(() => startTimeOf(holder) !== since, patienceMs);
    if (!ended) return { ok: false, reason: `The server (pid ${holder}) did not stop within ${patienceMs / 1000} s.` };
  }
  const { left } = await endOrphans(layout.data);
  if (left.length > 0) return { ok: false, reason: `These processes did not exit: ${left.join(", ")}.` };
  // Tables may be left by a server that was killed completely, or failed to start, and of which no process runs.
  const blocked = await removeTables(layout.data, TABLE, STRICT_TABLE);
  return blocked === null ? { ok: true, wasRunning } : { ok: false, reason: `No process is left, but ${blocked}` };
}

/**
 * Removes tables of ours, if they exist, unless a second server runs, whose tables have the same names. Returns null, or a clause
 * about the first table that stays, with the command that removes it. If nft(8) cannot run, there are no tables.
 */
export async function removeTables(data: string, ...tables: readonly string[]): Promise<string | null> {
  if (runsForAnother(data)) return null;
  let blocked: string | null = null;
  for (const table of tables) {
    const removed = await loadNft(removeTable(table));
    if (!removed.ok && ((await listTable(table)) ?? "") !== "")
      blocked ??= `the firewall table ${table} stays in force (${removed.reason}): \`nft delete table ${table}\`.`;
  }
  return blocked;
}

/** `isNew`: the server was restarted, but not all of it is ready. */
export type Restarted = Readonly<{ ok: true }> | (Failed & Readonly<{ isRunning: boolean; isNew?: true }>);

/** Makes the running start stop everything and start again, and waits until everything runs. */
export async function restartServer(
  layout: Layout,
  ports: readonly ServerPort[],
  readyMs: number = READY_MS,
): Promise<Restarted> {
  const holder = lockHolder(layout.startPid);
  // The content differs after each start.
  const before = textOrNothing(layout.startPid);
  if (holder === null) return { ok: false, reason: "GhostInbox is not running.", isRunning: false };
  const since = startTimeOf(holder);
  const isGone = (): boolean => since === null || startTimeOf(holder) !== since;
  // It may end at any time.
  if (!handlesSignal(holder, constants.signals[RESTART_SIGNAL]) && !isGone())
    return { ok: false, reason: `The server (pid ${holder}) cannot restart: stop it, then start it.`, isRunning: true };
  signal(holder, RESTART_SIGNAL);
  if (!(await becomes(() => isGone() || textOrNothing(layout.startPid) !== before, STOP_MS)))
    return {
      ok: false,
      reason: `The server (pid ${holder}) is still stopping or preparing its restart.`,
      isRunning: true,
    };
  const ready = await waitUntilReady(layout, ports, isGone, { patienceMs: readyMs });
  if (isGone())
    return { ok: false, reason: `It stopped and did not start again: ${whyStartFailed(layout)}`, isRunning: false };
  return ready.ok ? ready : { ...ready, isRunning: true, isNew: true };
}

function whyStartFailed({ startLog }: Layout): string {
  const log = readOr(() => readFileSync(startLog, "utf8"), null);
  return log === null ? "its terminal shows more." : (lastFailure(log) ?? `${startLog} shows more.`);
}

/** Whether a process has a handler for this signal (proc(5), SigCgt). Without one, the signal would kill it. */
function handlesSignal(pid: number, number: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(textOrNothing(`/proc/${pid}/status`))?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> BigInt(number - 1)) & 1n) === 1n;
}
