import { readdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../../adapters/root-files/walk.ts";
import type { Layout } from "../../settings/layout.ts";
import { lockHolder } from "../set-up/running/lock.ts";
import { startTimeOf } from "../set-up/running/read-processes.ts";

/** The process and when it started (proc(5), starttime): another one may have its number by now. */
const SCRATCH = /^restoring-(\d+)-(\d+)$/;

/** Where this process puts a mailbox for Dovecot, whose user may not enter `backup/`. */
export function scratchOf({ data }: Layout): string {
  return join(data, `restoring-${process.pid}-${startTimeOf(process.pid)}`);
}

/** No disk holds it (tmpfs(5)). */
const MEMORY = "/run";
const KEYS = /^ghostinbox-keys\.(\d+)-(\d+)$/;

/** Where this process puts the private keys of an account while Dovecot reads its mail. */
export function keysDirectory(): string {
  return join(MEMORY, `ghostinbox-keys.${process.pid}-${startTimeOf(process.pid)}`);
}

/** Of restores that were killed. */
export function removeLeftOverKeys(): void {
  removeOfTheDead(MEMORY, KEYS);
}

/** What restores of single mailboxes, and a restore drill, left behind when they were killed. */
export function removeLeftOver({ data, backupDrill, backupLock }: Layout): void {
  const holder = lockHolder(backupLock);
  if (holder === null || holder === process.pid) removeTree(backupDrill);
  removeOfTheDead(data, SCRATCH);
}

function removeOfTheDead(directory: string, names: RegExp): void {
  for (const name of readdirSync(directory)) {
    const [, pid = "", startTime = ""] = names.exec(name) ?? [];
    if (pid !== "" && startTimeOf(Number(pid)) !== startTime) removeTree(join(directory, name));
  }
}
