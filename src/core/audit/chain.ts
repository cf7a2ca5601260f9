import { plural } from "../text.ts";
import { DAY_MS, type Millis } from "../time.ts";

/** An entry. `at`: ISO 8601, UTC. `detail`: the JSON that was hashed. */
export type Content = Readonly<{ at: string; actor: string; type: string; subject: string; detail: string }>;
/** An entry of the audit. `previous`: the hash of the entry before. Hashes are SHA-256 in hexadecimal. */
export type AuditEntry = Readonly<{ id: number; previous: string; hash: string }> & Content;

/** An entry that root has noted outside the database, and when. */
export type Anchor = Readonly<{
  at: string;
  id: number;
  hash: string;
  /**
   * Root accepted the chain up to this entry, faults included. `sum`: over the entries that existed then. `numbered`: the highest number
   * given by then; the next entry follows it.
   */
  accepted?: Readonly<{ reason: string; sum: string; numbered?: number | undefined }> | undefined;
  /** It was sent to the owner, so that a copy is out of reach of everything on this machine. */
  mailed?: true | undefined;
}>;

export type Sha256 = (text: string) => string;

/** Before the first entry. */
export const GENESIS = "0".repeat(64);
/** How long every entry is kept, unless more than `mostYoung` exist. */
export const ENTRIES_STAY_MS = 90 * DAY_MS;
/**
 * `most`: the oldest entries beyond this number are removed once they are old enough. `mostYoung`: beyond this number the oldest are
 * removed early, which the check reports.
 */
export type AuditLimits = Readonly<{ most: number; mostYoung: number }>;
export const AUDIT_LIMITS: AuditLimits = { most: 100_000, mostYoung: 500_000 };

/** The text whose SHA-256 is the entry's hash: seven lines, none of which can contain a line break. */
export function hashedText({ id, at, actor, type, subject, detail, previous }: Omit<AuditEntry, "hash">): string {
  return [id, at, actor, type, subject, detail, previous].join("\n");
}

/** `id`: the first inconsistent entry. */
export type Fault = Readonly<{ id: number; says: string }>;

export type Checked = Readonly<{
  /** Entries from `first` to `last`; both 0 without one. */
  first: number;
  last: number;
  /** The highest number that was given. */
  numbered: number;
  /** The hash of the last entry. */
  head: string;
  /** Over all existing entries; compared with the sum in `accepted`. */
  sum: string;
  /** Null: all are consistent. */
  fault: Fault | null;
  /** The newest entry that an anchor confirms. */
  anchored: Anchor | null;
}>;

/** `numbered`: the highest number that the database claims to have given. `limits`: how many entries the retention keeps. */
export type Compared = Readonly<{
  anchors: readonly Anchor[];
  numbered: number;
  now: Millis;
  limits?: AuditLimits | undefined;
}>;

/**
 * Checks every entry, in the order of ids, and compares them with the anchors, in the order in which they were made. An anchor that root
 * has accepted hides the faults before it, as long as that part is unchanged.
 */
export function checkChain(
  entries: Iterable<AuditEntry>,
  { anchors, numbered, now, limits = AUDIT_LIMITS }: Compared,
  sha256: Sha256,
): Checked {
  const accepted = anchors.findLastIndex((anchor) => anchor.accepted !== undefined);
  const inForce = anchors.slice(Math.max(accepted, 0));
  const from = anchors[accepted];
  const byId = Map.groupBy(inForce, ({ id }) => id);
  let first: number | null = null;
  let last = 0;
  let head = GENESIS;
  let sum = GENESIS;
  let sumAtFrom = GENESIS;
  let fault: Fault | null = null;
  let anchored: Anchor | null = null;
  for (const entry of entries) {
    const own = sha256(hashedText(entry));
    const found = byId.get(entry.id) ?? [];
    const before = { own, last: first === null && from?.id !== 0 ? null : last, head };
    if (from === undefined || entry.id > from.id) fault ??= faultOf(entry, before, from);
    fault ??= unanchored(entry, found);
    first ??= entry.id;
    last = entry.id;
    head = entry.hash;
    sum = sha256(`${sum}\n${own}\n${entry.hash}`);
    if (entry.id === from?.id) sumAtFrom = sum;
    if (fault === null) anchored = found.at(-1) ?? anchored;
  }
  const oldest = first ?? 1;
  const oldestLeft = first !== null && last - first + 1 >= limits.most;
  // The oldest entries may be gone only if as many are left as are always kept.
  if (from === undefined) fault ??= oldest > 1 && !oldestLeft ? missing(1, oldest - 1) : null;
  // Once the oldest entries have been removed, the accepted sum can no longer be compared.
  else if (!oldestLeft && from.accepted?.sum !== sumAtFrom) fault = changedSince(from);
  if (oldestLeft) fault ??= removedEarly(oldest, inForce, now);
  fault ??= truncated(last, inForce);
  fault ??= unnumbered(last, from?.accepted?.numbered ?? 0, numbered);
  return { first: first ?? 0, last, numbered, head, sum, fault, anchored };
}

/** `last`: null before the first entry of those that were kept. */
type Before = Readonly<{ own: string; last: number | null; head: string }>;

/** `from`: the accepted entry, if there is one. Entries that were missing then do not count as missing now. */
function faultOf(entry: AuditEntry, { own, last, head }: Before, from: Anchor | undefined): Fault | null {
  const { id, hash, previous } = entry;
  const isNextToAccepted = last === from?.id && id === (from.accepted?.numbered ?? 0) + 1;
  if (last !== null && id !== last + 1 && !isNextToAccepted) return missing(last + 1, id - 1);
  if (last !== null && previous !== head)
    return { id, says: `entry ${id} does not follow entry ${last}: one of them was replaced` };
  if (id <= 1 && (id < 1 || previous !== GENESIS)) return { id, says: `entry ${id} cannot be the first one` };
  if (hash !== own) return { id, says: `entry ${id} was changed: its hash does not match its content` };
  return null;
}

function unanchored({ id, hash }: AuditEntry, anchors: readonly Anchor[]): Fault | null {
  const other = anchors.find((anchor) => anchor.hash !== hash);
  if (other === undefined) return null;
  return {
    id,
    says: `entry ${id} is not the one that was anchored at ${other.at}: it or an earlier one was rewritten, with new hashes`,
  };
}

/** An entry is anchored within the hour, or later if the machine was off or its disk full. */
const ANCHORED_WITHIN_MS = DAY_MS;

/** Reports an anchored entry that was removed before its time: a flood of entries pushed it out. */
function removedEarly(first: number, anchors: readonly Anchor[], now: Millis): Fault | null {
  const since = now - ENTRIES_STAY_MS + ANCHORED_WITHIN_MS;
  const anchor = anchors.findLast(({ id, at }) => id > 0 && id < first && Date.parse(at) > since);
  if (anchor === undefined) return null;
  const days = plural(ENTRIES_STAY_MS / DAY_MS, "day");
  return {
    id: anchor.id,
    says: `entries up to ${first - 1} left early: entry ${anchor.id} was the newest at ${anchor.at}, and stays for ${days}, unless a flood of entries pushes it out`,
  };
}

/** SQLite counts the numbers that it gives (sqlite.org/autoinc.html): the last entry has the highest one. */
function unnumbered(last: number, accepted: number, numbered: number): Fault | null {
  if (numbered <= Math.max(last, accepted)) return null;
  return missing(last + 1, numbered, `: the database has given numbers up to ${numbered}`);
}

function truncated(last: number, anchors: readonly Anchor[]): Fault | null {
  const beyond = anchors.filter(({ id }) => id > last).toSorted((a, b) => b.id - a.id)[0];
  if (beyond === undefined) return null;
  return missing(last + 1, beyond.id, `: the newest entry anchored at ${beyond.at} was number ${beyond.id}`);
}

function missing(from: number, to: number, evidence = ""): Fault {
  const entries = plural(to - from + 1, "entry");
  return { id: from, says: `${entries} from ${from} on ${to === from ? "is" : "are"} missing${evidence}` };
}

function changedSince({ id, at }: Anchor): Fault {
  return { id, says: `an entry up to ${id} was changed or removed after root accepted them at ${at}` };
}
