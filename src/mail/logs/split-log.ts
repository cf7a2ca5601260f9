import { existsSync, statSync } from "node:fs";
import * as z from "zod/mini";
import type { LogPosition } from "../../core/decide/decision.ts";
import { messageOf, reportOnce } from "../../core/error.ts";
import { appendFile, createFile, writeFile } from "../../host/root-files/files.ts";
import { readRecord } from "../../host/root-files/record-file.ts";
import type { Layout } from "../../settings/layout.ts";
import { LogFollower, WRITERS_CHANGE_OVER_MS } from "./log-follower.ts";
import { parseMailLine } from "./log-line.ts";

/** How far mail.log is split. */
const state = z.object({ position: z.object({ inode: z.string(), offset: z.int() }) });

const BEGINNING: z.output<typeof state> = { position: { inode: "", offset: 0 } };

/** Writes mail.warn (warnings and errors) and mail.err (errors) from mail.log, as syslog does. A kill may repeat lines. */
export function createLogSplitter({ mailLog, mailWarn, mailErr }: Layout, failed: (why: string) => void) {
  const stateFile = `${mailLog}.split`;
  const unsaved = reportOnce(failed);
  const split = (lines: readonly string[], position: LogPosition): boolean => {
    const parsed = lines.map((line) => ({ line, severity: parseMailLine(line)?.severity ?? "info" }));
    const texts = [
      [mailWarn, parsed.filter(({ severity }) => severity !== "info")],
      [mailErr, parsed.filter(({ severity }) => severity === "error")],
    ] as const;
    for (const [file, found] of texts)
      if (found.length > 0) appendFile(file, found.map(({ line }) => `${line}\n`).join(""));
    // A disk may take the lines but no new file. Their position is then kept in memory, so that they are not written again and again.
    try {
      writeFile(stateFile, JSON.stringify({ position }), { mode: 0o600, flush: false });
      unsaved(null);
    } catch (error) {
      unsaved(messageOf(error));
    }
    return true;
  };
  const follower = new LogFollower({
    file: mailLog,
    from: readRecord(stateFile, state, BEGINNING).position,
    take: (lines, position) => Promise.resolve(split(lines, position)),
    failed,
    lingerMs: WRITERS_CHANGE_OVER_MS,
  });
  return {
    start: (): void => {
      for (const file of [mailWarn, mailErr]) makeLike(mailLog, file);
      follower.start();
    },
    stop: () => follower.stop(),
  };
}

/** Creates an empty file with the same owner, group and mode as another, if it is missing and the other exists. */
export function makeLike(model: string, file: string): void {
  if (existsSync(file) || !existsSync(model)) return;
  const { uid, gid, mode } = statSync(model);
  createFile(file, { mode: mode & 0o777, owner: { uid, gid } });
}
