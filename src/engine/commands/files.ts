import type { AuditType } from "../../core/events/command.ts";
import { domainOf, parseAccountName } from "../../core/net/address.ts";
import type { Command, FileChanges, Reply } from "../../wire/control/control.ts";
import type { FileAccounts, NamedHash } from "../admin-ports.ts";
import { type AccountCommandParts, endSessions, isHash } from "./accounts.ts";
import type { QueueUpkeep } from "./queue-upkeep.ts";
import { UNRECORDED } from "./unrecorded.ts";

export type FileCommandParts = AccountCommandParts &
  Readonly<{ files: FileAccounts; queue: Pick<QueueUpkeep, "holdSoon"> }>;
export type FileCommand = Extract<Command, { readonly verb: `accounts_${string}` }>;

/**
 * Takes over accounts from a file and records the changes. The sessions of suspended accounts end, and what they have sent
 * waits as after `account suspend`.
 */
export async function fileCommand(
  parts: FileCommandParts,
  command: FileCommand,
  by: string,
): Promise<Reply<FileCommand["verb"]>> {
  const { domains } = parts.engine.policy;
  const skipped: FileChanges["skipped"][number][] = [];
  const entries: NamedHash[] = [];
  for (const { name: text, hash } of command.entries) {
    const name = parseAccountName(text);
    if (name === null) skipped.push({ name: text, why: "cannot be an account" });
    else if (!isHash(hash)) skipped.push({ name, why: "has a password that came unhashed" });
    else if (!domains.includes(domainOf(name)))
      skipped.push({ name, why: `is of ${domainOf(name)}, which is not a mail domain of this server` });
    else entries.push({ name, hash });
  }
  const changes = write(parts, command, entries);
  const recorded = await record(parts, changes, by);
  for (const name of changes.suspended.map(parseAccountName).filter((parsed) => parsed !== null)) {
    await endSessions(parts, name);
    parts.queue.holdSoon(name);
  }
  for (const name of changes.changed) await endSessions(parts, name);
  if (!recorded) return UNRECORDED;
  return { ok: true, result: { ...changes, skipped: [...skipped, ...changes.skipped] } };
}

function write({ files, clock }: FileCommandParts, command: FileCommand, entries: readonly NamedHash[]): FileChanges {
  if (command.verb === "accounts_import") return files.importAll(entries, clock.now());
  const gone = command.gone.map(parseAccountName).filter((name) => name !== null);
  return files.follow(entries, gone, clock.now());
}

const AUDITS: readonly (readonly [Exclude<keyof FileChanges, "skipped">, AuditType])[] = [
  ["added", "ACCOUNT_ADDED"],
  ["changed", "PASSWORD_CHANGED"],
  ["suspended", "ACCOUNT_SUSPENDED"],
  ["resumed", "ACCOUNT_RESUMED"],
];

async function record({ engine }: FileCommandParts, changes: FileChanges, by: string): Promise<boolean> {
  const audits = AUDITS.flatMap(([list, type]) => changes[list].map((subject) => ({ type, subject, by })));
  const recorded = await Promise.all(audits.map((audit) => engine.audit(audit)));
  return recorded.every((kept) => kept);
}
