import type { FileChanges } from "../../../admin/accounts.ts";
import type { ParsedCommandOf } from "../../../admin/declare/control.ts";
import type { Change } from "../../../core/decide/decision.ts";
import type { Audit } from "../../../core/events/command.ts";
import type { AuditType } from "../../../core/events/event-types.ts";
import { domainOf, parseAccountName } from "../../../core/net/address.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { FileAccounts, NamedHash } from "../../admin-ports.ts";
import type { QueueUpkeep } from "../queue/queue-upkeep.ts";
import { UNWRITTEN } from "../record-first.ts";
import type { RunOf } from "../run-of.ts";
import { type AccountCommandParts, endSessions, isHash } from "./accounts.ts";

export type FileCommandParts = AccountCommandParts &
  Readonly<{ files: FileAccounts; queue: Pick<QueueUpkeep, "holdSoon"> }>;
type FileCommand = ParsedCommandOf<"accounts_import_hashed" | "accounts_follow">;

/** How long sessions are ended before the change. With the last wait, that is less than a minute, after which the follower asks again. */
const MOST_FIRST_MS = 20 * SECOND_MS;

/**
 * Records the changes that a file makes to the accounts, and applies them. The sessions of suspended accounts end, and mail that they
 * have sent waits as after `account suspend`.
 */
export const fileCommand: RunOf<FileCommand["verb"], FileCommandParts> = async (parts, command, by) => {
  const { domains } = parts.engine.policy;
  const skipped: FileChanges["skipped"][number][] = [];
  const entries: NamedHash[] = [];
  const passwordHashes = new Map<string, string>();
  for (const { name: text, hash, passwordHash = "", quotaBytes } of command.entries) {
    const name = parseAccountName(text);
    if (name === null) skipped.push({ name: text, why: "cannot be an account" });
    else if (!isHash(hash)) skipped.push({ name, why: "has a password that is not hashed" });
    else if (!domains.includes(domainOf(name)))
      skipped.push({ name, why: `has the domain ${domainOf(name)}, which is not a mail domain of this server` });
    else {
      entries.push({ name, hash, quotaBytes });
      passwordHashes.set(name, passwordHash);
    }
  }
  const would = parts.rehearse(() => write(parts, command, entries));
  const refused = parts.mayNoLonger?.() ?? null;
  if (refused !== null) return refused;
  if (parts.isDry === true) return { ok: true, result: { ...would, skipped: [...skipped, ...would.skipped] } };
  if (!(await record(parts, would, passwordHashes, by))) return UNWRITTEN;
  // Before the change too: the keeper notes these sessions, and ends them again even if the guard is killed right after the change.
  const until = parts.clock.now() + MOST_FIRST_MS;
  for (const name of [...would.suspended, ...would.changed])
    if (parts.clock.now() < until) await endSessions(parts, name, by);
  const ended = parts.mayNoLonger?.() ?? null;
  if (ended !== null) return ended;
  const changes = write(parts, command, entries);
  for (const name of changes.suspended.map(parseAccountName).filter((parsed) => parsed !== null)) {
    await endSessions(parts, name, by);
    parts.queue.holdSoon(name);
  }
  for (const name of changes.changed) await endSessions(parts, name, by);
  return { ok: true, result: { ...changes, skipped: [...skipped, ...changes.skipped] } };
};

export const FILE_RUNS = { accounts_import_hashed: fileCommand, accounts_follow: fileCommand };

function write({ files, clock }: FileCommandParts, command: FileCommand, entries: readonly NamedHash[]): FileChanges {
  if (command.verb === "accounts_import_hashed") return files.importAll(entries, clock.now());
  const gone = command.gone.map(parseAccountName).filter((name) => name !== null);
  return files.follow(entries, gone, clock.now());
}

const AUDITS: readonly (readonly [Exclude<keyof FileChanges, "skipped">, AuditType])[] = [
  ["added", "ACCOUNT_ADDED"],
  ["changed", "PASSWORD_CHANGED"],
  ["suspended", "ACCOUNT_SUSPENDED"],
  ["resumed", "ACCOUNT_RESUMED"],
  ["quotas", "QUOTA_CHANGED"],
];

/** The short hash by account; empty if the file has only a stored hash. */
type Hashes = ReadonlyMap<string, string>;

async function record({ engine }: FileCommandParts, changes: FileChanges, passwordHashes: Hashes, by: string) {
  const audits = AUDITS.flatMap(([list, type]) =>
    changes[list].map((account) => ({ type, subject: account, account, by })),
  );
  const recorded = await Promise.all(audits.map((audit) => engine.audit(audit, passwordSet(audit, passwordHashes))));
  return recorded.every(Boolean);
}

/** A resumed account may have its old password, which the guard already knows. */
function passwordSet({ type, subject }: Pick<Audit, "type" | "subject">, passwordHashes: Hashes): readonly Change[] {
  const passwordHash = passwordHashes.get(subject) ?? "";
  if (type === "ACCOUNT_SUSPENDED" || type === "QUOTA_CHANGED" || (type === "ACCOUNT_RESUMED" && passwordHash === ""))
    return [];
  return [{ type: "SET_PASSWORD", account: subject.toLowerCase(), passwordHash }];
}
