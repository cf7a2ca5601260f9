import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { SECOND_MS } from "../../core/time.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { commandOf, listProcesses } from "../../host/running/read-processes.ts";
import type { Layout } from "../../settings/layout.ts";
import { end } from "../dovecot/doveadm.ts";

const POLL_MS = 20;

/**
 * Runs a command that only sends the master process a signal, and waits for the child processes that the signal ends. Returns null even if
 * some still run after the wait; otherwise why the reload failed. `waitMsByName`: how long to wait for a child, by its name, in milliseconds
 * after the signal.
 */
async function reloadBySignal(
  [program, ...argv]: readonly [string, ...string[]],
  pidFile: string,
  waitMsByName: Readonly<Record<string, number>>,
): Promise<string | null> {
  const master = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
  const children = listProcesses().filter(({ parent }) => parent === master);
  const reload = await runProgram(program, argv);
  if (reload.code !== 0) return lastLines(reload);
  const signalledAt = performance.now();
  for (const { pid, args } of children) {
    const patienceMs = waitMsByName[args[0] ?? ""] ?? 0;
    while (existsSync(`/proc/${pid}`) && performance.now() - signalledAt < patienceMs) await pause(POLL_MS);
  }
  return null;
}

/**
 * `doveadm reload` only sends a signal. Until the master has read its configuration, old processes still answer, and may lose their
 * connections to each other in the middle of a request, so that a mail would be deferred. Returns null once it has read it, or after 20
 * seconds (a busy machine takes more than five); otherwise why the reload failed.
 *
 * Ends the IMAP processes of signed-in users, because the master forgets sessions in use, and a later `doveadm kick` would miss them.
 */
export async function reloadDovecot(layout: Layout): Promise<string | null> {
  const command = ["doveadm", "-c", layout.dovecotConf, "reload"] as const;
  // The master replaces this process once it has read its configuration.
  const waitMsByName = { "dovecot/log": 20 * SECOND_MS };
  const refused = await reloadBySignal(command, join(layout.dovecotBase, "master.pid"), waitMsByName);
  const imap = listProcesses().filter(({ pid }) => commandOf(pid) === "imap");
  if (refused === null) await end(layout, imap);
  return refused;
}

/**
 * `postfix reload` only sends a signal (postfix-script). A flush that arrives before the previous queue manager has ended is lost with it,
 * and an old smtp(8) process would retry with the old settings. Returns null once both have ended, or why the reload failed.
 */
export function reloadPostfix({ postfixConf, postfixQueue }: Layout): Promise<string | null> {
  const command = ["postfix", "-c", postfixConf, "reload"] as const;
  // A client in the middle of a delivery finishes that first.
  const waitMsByName = { qmgr: 5 * SECOND_MS, smtp: SECOND_MS };
  return reloadBySignal(command, join(postfixQueue, "pid", "master.pid"), waitMsByName);
}
