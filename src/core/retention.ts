import { parseAddress } from "./net/address.ts";
import { formatDuration, parseDuration } from "./time.ts";

/** How long mail is kept in a folder and the folders below it. `account` null: all. `folder` "*": every folder. `keepMs` null: forever. */
export type KeepRule = Readonly<{ account: string | null; folder: string; keepMs: number | null }>;

const ALL_FOLDERS = "*";
const FOREVER = "forever";
/** Separates the names of a folder and of one below it, as Dovecot does in Maildirs. */
const SEPARATOR = ".";
const LONGEST_FOLDER = 200;
/** Not U+200D, which joins emoji. */
const UNUSUAL = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}"\\]/u;

/** `Trash 30d`, `anna@example.org Sent Mail 1d` or `* forever`; null for anything else. Blanks in a folder count. */
export function parseKeepRule(text: string): KeepRule | null {
  const [, name = "", keep = ""] = /^(.*\S)\s+(\S+)$/.exec(text.trim()) ?? [];
  const keepMs = keep === FOREVER ? null : parseDuration(keep);
  if (keep !== FOREVER && (keepMs === null || keepMs === 0)) return null;
  const [, first = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(name) ?? [];
  const account = parseAddress(first);
  const folder = account === null ? name : rest;
  if (folder === "" || folder.length > LONGEST_FOLDER || UNUSUAL.test(folder)) return null;
  return { account, folder, keepMs };
}

/** As `parseKeepRule` reads it. */
export function formatKeepRule({ account, folder, keepMs }: KeepRule): string {
  const whose = account === null ? "" : `${account} `;
  return `${whose}${folder} ${keepMs === null ? FOREVER : formatDuration(keepMs)}`;
}

/** A rule that removes mail one day. */
export type EndingRule = KeepRule & Readonly<{ keepMs: number }>;

/**
 * The rule for mail of this folder; null if it is kept forever. A rule for the account wins over one for all accounts, then the one with
 * the nearest folder. If two rules match equally, the longer time wins, so that no mail is deleted by mistake.
 */
export function ruleFor(rules: readonly KeepRule[], account: string, folder: string): EndingRule | null {
  const name = account.toLowerCase();
  const fitting = rules.filter((rule) => (rule.account ?? name) === name && holds(rule.folder, folder));
  const highest = Math.max(...fitting.map(rank));
  const nearest = fitting.filter((rule) => rank(rule) === highest);
  const ending = nearest.filter((rule): rule is EndingRule => rule.keepMs !== null);
  if (ending.length < nearest.length) return null;
  return ending.toSorted((a, b) => b.keepMs - a.keepMs)[0] ?? null;
}

function holds(rule: string, folder: string): boolean {
  if (rule === ALL_FOLDERS) return true;
  // RFC 9051, 5.1: INBOX in any case is the same folder.
  const named = /^inbox$/i.test(rule) ? "INBOX" : rule;
  return folder === named || folder.startsWith(`${named}${SEPARATOR}`);
}

/** Accounts before folders, longer names of folders before shorter ones. */
function rank({ account, folder }: KeepRule): number {
  return (account === null ? 0 : 2 * LONGEST_FOLDER) + (folder === ALL_FOLDERS ? 0 : folder.length);
}
