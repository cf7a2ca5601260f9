import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod/mini";
import { messageOf, readOr } from "../../core/error.ts";
import type { AccountName } from "../../core/net/address.ts";
import { type EndingRule, type KeepRule, ruleFor } from "../../core/retention.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { copyFile } from "../../host/root-files/copies.ts";
import { changeRecord, readRecord, writeRecord } from "../../host/root-files/record-file.ts";
import type { Amount, Folder, Mailboxes } from "../../mail/dovecot/mailboxes.ts";

const hold = z.object({
  account: z.string(),
  /** ISO 8601, UTC. */
  since: z.string(),
  /** Empty if none was given. */
  reason: z.string(),
});
const holdsSchema = z.object({ holds: z.readonly(z.array(hold)) });

/** An account whose mail retention must keep. `account` in lower case. */
export type LegalHold = Readonly<z.output<typeof hold>>;

/** Returns no holds if there is no file. Throws if it cannot be read, so that no caller takes it for an empty list. */
export function readLegalHolds(path: string): readonly LegalHold[] {
  if (!existsSync(path)) return [];
  try {
    return z.parse(holdsSchema, JSON.parse(readFileSync(path, "utf8"))).holds;
  } catch {
    throw new Error(`${path} cannot be read, so it is unknown which accounts are under legal hold`);
  }
}

export function legalHoldOf(path: string, account: string): LegalHold | null {
  return readLegalHolds(path).find((one) => one.account === account.toLowerCase()) ?? null;
}

/** An existing hold keeps its time. */
export function setLegalHold(path: string, { account, since, reason }: LegalHold): void {
  const name = account.toLowerCase();
  changeHolds(path, (holds) => {
    const before = holds.find((one) => one.account === name);
    const others = holds.filter((one) => one.account !== name);
    const kept = {
      account: name,
      since: before?.since ?? since,
      reason: reason === "" ? (before?.reason ?? "") : reason,
    };
    return [...others, kept];
  });
}

export function liftLegalHold(path: string, account: string): void {
  changeHolds(path, (holds) => holds.filter((one) => one.account !== account.toLowerCase()));
}

function changeHolds(path: string, change: (holds: readonly LegalHold[]) => readonly LegalHold[]): void {
  const read = () => ({ holds: readLegalHolds(path) });
  changeRecord(path, read, ({ holds }) => ({ holds: change(holds) }));
}

/** Adds the holds of a second list. Keeps a list that cannot be read: no mail is removed until it is repaired. */
export function joinLegalHolds(path: string, other: string): void {
  if (!existsSync(other)) return;
  if (!isReadable(other)) copyFile(other, path, 0o600);
  else if (isReadable(path)) for (const one of readLegalHolds(other)) setLegalHold(path, one);
}

function isReadable(path: string): boolean {
  return readOr(() => readLegalHolds(path), null) !== null;
}

/** The mailboxes of all accounts. Each method throws an Error with the reason. */
export type MailFolders = Pick<Mailboxes, "accounts" | "folders" | "cameBefore" | "expunge">;

export type RetentionRules = Readonly<{
  rules: readonly KeepRule[];
  /** Read again directly before mail is removed: a rule that was changed since the start removes nothing in this run. */
  rulesNow: () => readonly KeepRule[];
  /** Read again directly before mail is removed: a hold applies from the moment it was set. */
  holds: () => readonly LegalHold[];
  /** As the last run left them. */
  times: FolderTimes;
  /** Milliseconds of a monotonic clock. */
  elapsedMs?: () => number;
}>;

/** A user can create thousands of folders, which take seconds each. Other accounts should not wait for them. */
const MOST_OF_ACCOUNT_MS = 30 * MINUTE_MS;

/**
 * A folder with a rule. `due`: removed at the next run, `later`: by the requested end. `from`: nothing is removed before this time (ms),
 * when the folder will have been under its rule for the rule's duration.
 */
export type PlannedFolder = Readonly<{
  account: AccountName;
  folder: string;
  keepMs: number;
  from: number;
  mails: number;
  bytes: number;
  due: Amount;
  later: Amount;
  isHeld: boolean;
}>;

/** Counts what a run at `at` would remove, and what must be removed by `until`, for each folder with a rule. Throws. */
export async function planRetention(
  mail: MailFolders,
  { rules, holds, times }: Pick<RetentionRules, "rules" | "holds" | "times">,
  { at, until }: Readonly<{ at: number; until: number }>,
): Promise<readonly PlannedFolder[]> {
  const planned: PlannedFolder[] = [];
  const held = new Set(holds().map(({ account }) => account));
  for (const account of await mail.accounts())
    for (const ruled of ruledFolders(rules, account, await mail.folders(account))) {
      const { folder, rule } = ruled;
      const { name, mails, bytes } = folder;
      if (mails === 0) continue;
      const { keepMs } = rule;
      const from = Math.min(at, underRuleSince(times[account], ruled) ?? at) + keepMs;
      const goes = (then: number): Promise<Amount> =>
        then < from ? Promise.resolve({ mails: 0, bytes: 0 }) : mail.cameBefore(account, folder, then - keepMs);
      const [due, later] = [await goes(at), await goes(until)];
      const isHeld = held.has(account);
      planned.push({ account, folder: name, keepMs, from, mails, bytes, due, later, isHeld });
    }
  return planned;
}

export type Removed = Amount & Readonly<{ accounts: number; failure: string | null }>;

/**
 * Removes mail past its time at `at`, from folders that have been under their rule for as long. Removes nothing from accounts under legal
 * hold, and nothing at all if the list of holds cannot be read. If one account cannot be read, the others are still cleaned. Returns
 * `times` for the next run.
 */
export async function runRetention(
  mail: MailFolders,
  { rules, rulesNow, holds, times, elapsedMs = () => performance.now() }: RetentionRules,
  at: number,
): Promise<Readonly<{ removed: Removed; times: FolderTimes }>> {
  let [mails, bytes, accounts] = [0, 0, 0];
  let failure: string | null = null;
  const seen: Record<string, AccountTimes> = {};
  const names = rules.every(({ keepMs }) => keepMs === null) ? [] : await mail.accounts();
  for (const account of names) {
    const isHeld = (): boolean => holds().some((one) => one.account === account);
    const isSpared = isHeld();
    if (!isSpared) accounts += 1;
    const until = elapsedMs() + MOST_OF_ACCOUNT_MS;
    seen[account] = times[account] ?? {};
    try {
      const folders = ruledFolders(rules, account, await mail.folders(account));
      const known = withSeen(times[account], folders, at);
      seen[account] = known;
      for (const { folder, rule } of isSpared ? [] : folders) {
        const before = at - rule.keepMs;
        if (folder.mails === 0 || (known[folder.guid]?.since ?? at) > before) continue;
        if (elapsedMs() > until) throw new Error("its folders took too long: the next run continues");
        const due = await mail.cameBefore(account, folder, before);
        if (due.mails === 0 || !(await isStillThere(mail, account, folder))) continue;
        // Holds and rules may have changed while mail was counted.
        if (isHeld()) break;
        if (!isDeepStrictEqual(ruleFor(rulesNow(), account, folder.name), rule)) continue;
        await mail.expunge(account, folder, before);
        mails += due.mails;
        bytes += due.bytes;
      }
    } catch (error) {
      failure ??= `${account}: ${messageOf(error)}`;
    }
  }
  return { removed: { mails, bytes, accounts, failure }, times: seen };
}

/** Also compares the name: counting takes long in a large folder, which may have been moved out of Trash in that time. */
async function isStillThere(mail: MailFolders, account: AccountName, { guid, name }: Folder): Promise<boolean> {
  return (await mail.folders(account)).some((folder) => folder.guid === guid && folder.name === name);
}

const times = z.record(z.string(), z.object({ rule: z.string(), since: z.number() }));
const timesSchema = z.object({ accounts: z.record(z.string(), times) });

/** Since when (ms) each folder of an account has been under its rule, by the folder's GUID. */
type AccountTimes = Readonly<z.output<typeof times>>;
/** The same for all accounts. The mails' own times don't suffice: a mail program deletes a folder by renaming it, which keeps them. */
export type FolderTimes = Readonly<Record<string, AccountTimes>>;

type RuledFolder = Readonly<{ folder: Folder; rule: EndingRule }>;

function ruledFolders(rules: readonly KeepRule[], account: AccountName, folders: readonly Folder[]) {
  return folders.flatMap((folder) => {
    const rule = ruleFor(rules, account, folder.name);
    return rule === null ? [] : [{ folder, rule }];
  });
}

/** When the folder came under this rule (ms); null if it was not under it at the last check. */
function underRuleSince(known: AccountTimes | undefined, { folder, rule }: RuledFolder): number | null {
  const before = known?.[folder.guid];
  return before?.rule === nameOf(rule) ? before.since : null;
}

/** Updates the record with the folders seen at `at` (ms). Lowers a time that was noted while the clock was ahead. */
function withSeen(known: AccountTimes | undefined, folders: readonly RuledFolder[], at: number): AccountTimes {
  return Object.fromEntries(
    folders.map((ruled) => {
      const since = Math.min(at, underRuleSince(known, ruled) ?? at);
      return [ruled.folder.guid, { rule: nameOf(ruled.rule), since }];
    }),
  );
}

/** A missing or unreadable file counts as empty: mail is then removed later. */
export function readFolderTimes(path: string): FolderTimes {
  return readRecord(path, timesSchema, { accounts: {} }).accounts;
}

export function writeFolderTimes(path: string, accounts: FolderTimes): void {
  writeRecord(path, { accounts });
}

/** Identifies a rule without its duration, so that a folder keeps its start when the duration changes. */
function nameOf({ account, folder }: KeepRule): string {
  return `${account ?? "*"} ${folder}`;
}
