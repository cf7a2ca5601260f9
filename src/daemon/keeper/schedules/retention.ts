import { messageOf } from "../../../core/error.ts";
import type { AccountName } from "../../../core/net/address.ts";
import type { KeepRule } from "../../../core/retention.ts";
import type { Amount, Folder } from "../../../wire/dovecot/folders.ts";
import type { LegalHold } from "./legal-holds.ts";
import { type AccountTimes, type FolderTimes, ruledFolders, underRuleSince, withSeen } from "./retention-folders.ts";

/** The mailboxes of all accounts. Each method throws an Error with the reason. */
export interface MailFolders {
  accounts(): Promise<readonly AccountName[]>;
  folders(account: AccountName): Promise<readonly Folder[]>;
  /** Mails that arrived in the folder before then (ms). */
  cameBefore(account: AccountName, folder: Pick<Folder, "guid">, at: number): Promise<Amount>;
  expunge(account: AccountName, folder: Pick<Folder, "guid">, at: number): Promise<void>;
}

export type RetentionRules = Readonly<{
  rules: readonly KeepRule[];
  /** Read again directly before mail is removed: a hold applies from the moment it was set. */
  holds: () => readonly LegalHold[];
  /** As the last run left them. */
  times: FolderTimes;
}>;

/**
 * A folder with a rule. `due`: removed at the next run, `later`: by the requested end. `from`: nothing is removed
 * before (ms), since the folder has not been under its rule for the rule's time.
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

/** Counts what a run at `at` would remove, and what must be removed until `until`, for each folder with a rule. Throws. */
export async function planRetention(
  mail: MailFolders,
  { rules, holds, times }: RetentionRules,
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
      const isHeld = held.has(account.toLowerCase());
      planned.push({ account, folder: name, keepMs, from, mails, bytes, due, later, isHeld });
    }
  return planned;
}

export type Removed = Amount & Readonly<{ accounts: number; failure: string | null }>;

/**
 * Removes mail past its time at `at`, from folders that have been under their rule for as long. Nothing of an account under
 * legal hold. If one account cannot be read, the others are still cleaned; without the list of holds nothing is removed.
 * `times`: for the next run.
 */
export async function runRetention(
  mail: MailFolders,
  { rules, holds, times }: RetentionRules,
  at: number,
): Promise<Readonly<{ removed: Removed; times: FolderTimes }>> {
  let [mails, bytes, accounts] = [0, 0, 0];
  let failure: string | null = null;
  const seen: Record<string, AccountTimes> = {};
  const names = rules.every(({ keepMs }) => keepMs === null) ? [] : await mail.accounts();
  for (const account of names) {
    const isHeld = (): boolean => holds().some((one) => one.account === account.toLowerCase());
    const isSpared = isHeld();
    if (!isSpared) accounts += 1;
    seen[account] = times[account] ?? {};
    try {
      const folders = ruledFolders(rules, account, await mail.folders(account));
      const known = withSeen(times[account], folders, at);
      seen[account] = known;
      for (const { folder, rule } of isSpared ? [] : folders) {
        const before = at - rule.keepMs;
        if (folder.mails === 0 || (known[folder.guid]?.since ?? at) > before) continue;
        const due = await mail.cameBefore(account, folder, before);
        if (due.mails === 0 || !(await isStillThere(mail, account, folder))) continue;
        // It may have been set while mail was counted.
        if (isHeld()) break;
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

/** By its name: counting takes long in a large folder, which may be moved out of Trash in that time. */
async function isStillThere(mail: MailFolders, account: AccountName, { guid, name }: Folder): Promise<boolean> {
  return (await mail.folders(account)).some((folder) => folder.guid === guid && folder.name === name);
}
