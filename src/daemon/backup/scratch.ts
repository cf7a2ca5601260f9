import { readdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../../adapters/root-files/walk.ts";
import type { Layout } from "../../settings/layout.ts";
import { lockHolder } from "../set-up/running/lock.ts";
import { startTimeOf } from "../set-up/running/read-processes.ts";

/** The process and its start time (proc(5), starttime): its number may have been reused. */
const SCRATCH = /^restoring-(\d+)-(\d+)$/;

/** Where this process puts a mailbox for Dovecot, whose user may not enter `backup/`. */
export function scratchOf({ data }: Layout): string {
  return join(data, `restoring-${process.pid}-${startTimeOf(process.pid)}`);
}

/** It is never on a disk (tmpfs(5)). */
const MEMORY = "/run";
const KEYS = /^ghostinbox-keys\.(\d+)-(\d+)$/;

/** Where this process puts the private keys of an account while Dovecot reads its mail. */
export function keysDirectory(): string {
  return join(MEMORY, `ghostinbox-keys.${process.pid}-${startTimeOf(process.pid)}`);
}

/** Left by killed restores. */
export function removeLeftOverKeys(): void {
  removeOfTheDead(MEMORY, KEYS);
}

/** Removes files left by killed restores of single mailboxes and by killed restore drills. */
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
