import * as z from "zod/mini";
import { readRecord, writeRecord } from "../../../adapters/root-files/record-file.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { type EndingRule, type KeepRule, ruleFor } from "../../../core/retention.ts";
import type { Folder } from "../../../wire/dovecot/folders.ts";

const times = z.record(z.string(), z.object({ rule: z.string(), since: z.number() }));
const schema = z.object({ accounts: z.record(z.string(), times) });

/** Since when (ms) each folder of an account has been under its rule, by the folder's GUID. */
export type AccountTimes = Readonly<z.output<typeof times>>;
/** The same for all accounts. A mail program deletes a folder by renaming it, and its mails keep their times. */
export type FolderTimes = Readonly<Record<string, AccountTimes>>;

/** A folder with a retention rule. */
export type RuledFolder = Readonly<{ folder: Folder; rule: EndingRule }>;

export function ruledFolders(
  rules: readonly KeepRule[],
  account: AccountName,
  folders: readonly Folder[],
): readonly RuledFolder[] {
  return folders.flatMap((folder) => {
    const rule = ruleFor(rules, account, folder.name);
    return rule === null ? [] : [{ folder, rule }];
  });
}

/** Since when (ms) it has been under this rule; null if it was not at the last check. */
export function underRuleSince(known: AccountTimes | undefined, { folder, rule }: RuledFolder): number | null {
  const before = known?.[folder.guid];
  return before?.rule === nameOf(rule) ? before.since : null;
}

/** Updates the record with the folders seen at `at` (ms). A later time was noted while the clock was ahead. */
export function withSeen(
  known: AccountTimes | undefined,
  folders: readonly RuledFolder[],
  at: number,
): Record<string, AccountTimes[string]> {
  return Object.fromEntries(
    folders.map((ruled) => {
      const since = Math.min(at, underRuleSince(known, ruled) ?? at);
      return [ruled.folder.guid, { rule: nameOf(ruled.rule), since }];
    }),
  );
}

/** A missing or unreadable file counts as empty: mail is then removed later. */
export function readFolderTimes(path: string): FolderTimes {
  return readRecord(path, schema, { accounts: {} }).accounts;
}

export function writeFolderTimes(path: string, accounts: FolderTimes): void {
  writeRecord(path, { accounts });
}

/** Identifies a rule, ignoring its time: a longer or shorter time does not start again. */
function nameOf({ account, folder }: KeepRule): string {
  return `${account ?? "*"} ${folder}`;
}
