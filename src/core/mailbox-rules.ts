import { parseAddress } from "./net/address.ts";
import { dayAndTime, formatDuration, isoTime, type Millis, parseDuration, parseTime } from "./time.ts";

/**
 * How long mail is kept in a folder and the folders below it. `account` null: of every account. `folder` "*": every folder.
 * `keepMs` null: for good.
 */
export type KeepRule = Readonly<{ account: string | null; folder: string; keepMs: number | null }>;

const ALL_FOLDERS = "*";
const FOREVER = "forever";
/** Between the names of a folder and of one below it. Dovecot's for Maildirs. */
const SEPARATOR = ".";
const LONGEST_FOLDER = 200;

/** `Trash 30d`, `anna@example.org Sent Mail 1d` or `* forever`; null for anything else. The folder may hold blanks. */
export function parseKeepRule(text: string): KeepRule | null {
  const words = text.trim().split(/\s+/);
  const keep = words.pop() ?? "";
  const keepMs = keep === FOREVER ? null : parseDuration(keep);
  if (keep !== FOREVER && (keepMs === null || keepMs === 0)) return null;
  const account = words.length > 1 ? parseAddress(words[0] ?? "") : null;
  const folder = words.slice(account === null ? 0 : 1).join(" ");
  if (folder === "" || folder.length > LONGEST_FOLDER || /[\p{C}"\\]/u.test(folder)) return null;
  return { account: account?.toLowerCase() ?? null, folder, keepMs };
}

/** As `parseKeepRule` reads it. */
export function formatKeepRule({ account, folder, keepMs }: KeepRule): string {
  const whose = account === null ? "" : `${account} `;
  return `${whose}${folder} ${keepMs === null ? FOREVER : formatDuration(keepMs)}`;
}

/** A rule by which mail goes one day. */
export type EndingRule = KeepRule & Readonly<{ keepMs: number }>;

/**
 * The rule for mail of this folder; null: it is kept for good. A rule of the account counts before one of all accounts, then the
 * one whose folder is nearest above. If two rules match equally, the longer time wins, so that no mail is deleted by mistake.
 */
export function ruleFor(rules: readonly KeepRule[], account: string, folder: string): EndingRule | null {
  const fitting = rules.filter((rule) => isOf(rule, account) && holds(rule.folder, folder));
  const highest = Math.max(...fitting.map(rank));
  const nearest = fitting.filter((rule) => rank(rule) === highest);
  const ending = nearest.filter((rule): rule is EndingRule => rule.keepMs !== null);
  if (ending.length < nearest.length) return null;
  return ending.toSorted((a, b) => b.keepMs - a.keepMs)[0] ?? null;
}

function isOf({ account }: KeepRule, name: string): boolean {
  return account === null || account === name.toLowerCase();
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

/** The reply that an account sends while its user is away. `subject` empty: that of the mail that came. `until` null: until it is ended. */
export type Vacation = Readonly<{ subject: string; text: string; until: Millis | null }>;

/** UTF-16 units. */
export const VACATION_LIMITS = { subject: 200, text: 4_000 } as const;

/** As typed and shown: `until` in ISO 8601. */
export type WrittenVacation = Readonly<{ subject: string; text: string; until: string | null }>;
export type ParsedVacation = Readonly<{ ok: true; vacation: Vacation }> | Readonly<{ ok: false; says: string }>;

/** Control characters, and halves of a character: no line break, no tab. */
const CONTROLS = /[\p{Cc}\p{Cs}]/u;

/** The text may have lines and tabs; a subject is one line. `until` is an ISO time in the future. */
export function parseVacation(written: WrittenVacation, now: Millis): ParsedVacation {
  const subject = written.subject.trim();
  const text = written.text.replaceAll("\r\n", "\n").trim();
  if (text === "") return wrong("The reply has no text.");
  if (text.length > VACATION_LIMITS.text) return wrong(`The text is longer than ${VACATION_LIMITS.text} characters.`);
  if (subject.length > VACATION_LIMITS.subject)
    return wrong(`The subject is longer than ${VACATION_LIMITS.subject} characters.`);
  if (CONTROLS.test(subject)) return wrong("The subject must be one line, without control characters.");
  if (CONTROLS.test(text.replace(/[\n\t]/g, ""))) return wrong("The text must have no control characters.");
  if (written.until === null) return { ok: true, vacation: { subject, text, until: null } };
  // A date without a time is ambiguous: is a reply still sent on that day?
  const until = written.until.includes("T") ? parseTime(written.until) : null;
  if (until === null) return wrong(`${JSON.stringify(written.until)} is not a time such as 2026-12-24T18:00:00Z.`);
  return until > now ? { ok: true, vacation: { subject, text, until } } : wrong("The reply would have ended already.");
}

export function vacationItem(vacation: Vacation | null): WrittenVacation | null {
  if (vacation === null) return null;
  const { subject, text, until } = vacation;
  return { subject, text, until: until === null ? null : isoTime(until) };
}

/** `until 2026-12-24 23:59:59 UTC`; once that is past, `ended 2026-12-24 23:59:59 UTC`. */
export function vacationEnd(until: string, now: number): string {
  return `${Date.parse(until) <= now ? "ended" : "until"} ${dayAndTime(until)}`;
}

function wrong(says: string): ParsedVacation {
  return { ok: false, says };
}
