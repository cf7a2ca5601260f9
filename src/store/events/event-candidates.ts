import type { DatabaseSync, StatementSync } from "node:sqlite";
import { bareMessageId, isQueueId } from "../../core/events/queued-mail.ts";
import { asciiAddress } from "../../core/net/address.ts";
import { covering, isSingleAddress, overlaps, type Prefix } from "../../core/net/ip.ts";
import type { EventFilter } from "../../guard/storage-ports.ts";
import { integer, NAME_ROLE, prefix as prefixColumn } from "../columns.ts";
import { sharedBeginning, textsWithin } from "../engine-db/network-columns.ts";
import { type Candidates, merged, type Span, type Stream, type sqliteEventTimes, type Times } from "./event-streams.ts";

/** Characters of a name that the view `event_names` keeps. */
const LONGEST_NAME = 320;

/** Rows of the table that are read at once. */
const WALKED = 2_000;
/** A network with events from more addresses is searched by reading the table. */
const MOST_STREAMS = 300;
/** Types with fewer events are searched by type only, even for a network. */
const RARE = 1_000;
/** Events of the types and of the account are counted up to this number, to search by whichever has fewer. */
const MOST_COUNTED = 4_000;

/**
 * Chooses where to search the events of a filter, so that finding a page takes about as long with ten million events as with
 * ten thousand. It leaves no statement open. Batches are small, so a reader may stop after each.
 */
export function eventCandidates(db: DatabaseSync, times: ReturnType<typeof sqliteEventTimes>) {
  const sql = (text: string): StatementSync => db.prepare(text);
  const ordering = { oldest_first: ordered(sql, "ASC"), newest_first: ordered(sql, "DESC") };
  const marks = sql("SELECT names, min(names, upto) AS subjects FROM event_indexed");
  // Compares with a time after all others. With a shorter row value SQLite would step over every entry of the same pair.
  const nextPair = sql(`
    SELECT subject, counts FROM event_subject WHERE (subject, counts, at) > (?, ?, ${Number.MAX_SAFE_INTEGER})
    ORDER BY subject, counts LIMIT 1`);
  const count = sql("SELECT count(*) AS n FROM (SELECT 1 FROM event_name WHERE role = ? AND name = ? LIMIT ?)");

  function candidatesOf(filter: EventFilter): Generator<Candidates> {
    const { after = 0, before = Number.MAX_SAFE_INTEGER, prefix, types = [], account, mail } = filter;
    const all: Span = { after, before };
    if (prefix !== undefined && account === undefined && mail === undefined && !areRare(types)) {
      // Read before the keys, so that each event up to this mark has its key in the index, whatever is added later.
      const upto = integer(marks.get()?.["subjects"]);
      const pairs = pairsOf(prefix);
      if (pairs !== null) return bySubjects(filter, parted(all, upto), pairs);
    }
    if (account !== undefined && areFewer(types, account))
      return ofAccount(account, byNames(filter, all, types.map(namedType)));
    const names = namesOf(filter);
    return names.length === 0 ? byRows(filter, all) : byNames(filter, all, names);
  }

  /** Keeps the account's candidates. Takes no longer for an account with many other events. */
  function* ofAccount(account: string, candidates: Iterable<Candidates>): Generator<Candidates> {
    const { fresh } = ordering.newest_first;
    const names = namesOf({ account });
    const isIts = (id: number): boolean => names.some((name) => fresh.get(id, id, ...name) !== undefined);
    for (const { ids, reached } of candidates) yield { ids: ids.filter(isIts), reached };
  }

  /** Also reads the events that are not in the index yet. They are newer than all indexed ones. */
  function* byNames(filter: EventFilter, all: Span, names: readonly Name[]): Generator<Candidates> {
    const [fresh, indexed] = parted(all, integer(marks.get()?.["names"]));
    const { named } = ordering[filter.order];
    const streams = names.map(
      ([role, name]): Stream => ({
        next: (from, to, most) => named.all(role, name, from, to, most).map((row) => integer(row["id"])),
      }),
    );
    if (filter.order === "newest_first") yield* byRows(filter, fresh, names);
    yield* merged(streams, indexed, filter);
    if (filter.order === "oldest_first") yield* byRows(filter, fresh, names);
  }

  function* bySubjects(filter: EventFilter, [fresh, indexed]: Parts, pairs: readonly Pair[]): Generator<Candidates> {
    const isNewest = filter.order === "newest_first";
    if (isNewest) yield* byRows(filter, fresh);
    for (const span of times.stretches(indexed, filter.order)) {
      const edge = isNewest ? span.before : span.after;
      if (edge !== (isNewest ? indexed.before : indexed.after)) yield { ids: [], reached: edge };
      const within = times.of(span);
      if (within === null) continue;
      const streams = pairs.map((pair) => streamOf(pair, filter, within));
      yield* merged(streams, span, filter);
    }
    if (!isNewest) yield* byRows(filter, fresh);
  }

  /** Within a stretch ids and times ascend together, so its times bound the search in an index by time. */
  function streamOf([subject, counts]: Pair, { order }: EventFilter, [first, last]: Times): Stream {
    const { ofSubject } = ordering[order];
    const isNewest = order === "newest_first";
    let [lastAt, lastId] = isNewest ? [last, Number.MAX_SAFE_INTEGER] : [first, -1];
    return {
      next: (from, to, most) => {
        const end = isNewest ? [first, from] : [last, to];
        const rows = ofSubject.all(subject, counts, lastAt, lastId, from, to, most, ...end);
        const taken = rows.at(-1);
        if (taken !== undefined) [lastAt, lastId] = [integer(taken["at"]), integer(taken["id"])];
        return rows.map((row) => integer(row["id"]));
      },
    };
  }

  function* byRows(
    { order, prefix, most, text: searched }: EventFilter,
    { after, before }: Span,
    names?: readonly Name[],
  ): Generator<Candidates> {
    const { walk, fresh } = ordering[order];
    const text = prefix === undefined ? null : `${sharedBeginning(textsWithin(prefix))}*`;
    const wider = JSON.stringify(prefix === undefined ? [] : covering(prefix));
    const isEach = prefix === undefined && names === undefined && searched === undefined;
    const limit = isEach ? Math.min(WALKED, most + 1) : WALKED;
    for (let [from, to] = [after, before]; from + 1 < to; ) {
      const rows = walk.all(from, to, limit, text, wider);
      const ids = rows.map((row) => integer(row["id"]));
      const [first, reached] = [ids[0], ids.at(-1)];
      if (first === undefined || reached === undefined) return;
      const [low, high] = [Math.min(first, reached), Math.max(first, reached)];
      const matching = rows.filter((row) => row["matches"] === 1).map((row) => integer(row["id"]));
      const named = names?.flatMap(([role, name]) => fresh.all(low, high, role, name).map((row) => integer(row["id"])));
      yield { ids: named === undefined ? matching : inOrder(named, order), reached };
      if (rows.length < limit) return;
      if (order === "newest_first") to = reached;
      else from = reached;
    }
  }

  function areRare(types: readonly string[]): boolean {
    return types.length > 0 && counted(types.map(namedType), RARE) < RARE;
  }

  function areFewer(types: readonly string[], account: string): boolean {
    const n = counted(types.map(namedType), MOST_COUNTED);
    return types.length > 0 && n < MOST_COUNTED && n <= counted(namesOf({ account }), n);
  }

  function counted(names: readonly Name[], most: number): number {
    return names.reduce((sum, name) => sum + integer(count.get(...name, most - sum)?.["n"]), 0);
  }

  /** The keys of a network's events in the index, including networks around it; null if there are too many. */
  function pairsOf(network: Prefix): readonly Pair[] | null {
    const pairs = covering(network).flatMap((wider) => pairsFrom(wider, (subject) => subject === wider) ?? []);
    if (isSingleAddress(network)) return pairs;
    const within: Pair[] = [];
    for (const text of textsWithin(network)) {
      const some = pairsFrom(text, (subject) => subject.startsWith(text));
      if (some === null || within.push(...some) > MOST_STREAMS) return null;
    }
    const known = new Set(pairs.map(([subject]) => subject));
    return [...pairs, ...within.filter(([subject]) => !known.has(subject) && isWithin(subject, network))];
  }

  function pairsFrom(text: string, goesOn: (subject: string) => boolean): readonly Pair[] | null {
    const pairs: Pair[] = [];
    for (let at: Pair = [text, -1]; ; ) {
      const row = nextPair.get(...at);
      if (row === undefined) return pairs;
      at = [String(row["subject"]), integer(row["counts"])];
      if (!goesOn(at[0])) return pairs;
      if (pairs.push(at) > MOST_STREAMS) return null;
    }
  }

  return candidatesOf;
}

type Parts = readonly [fresh: Span, indexed: Span];
type Name = readonly [role: number, name: string];
type Pair = readonly [subject: string, counts: number];

/** Returns each id once, because two names may lead to one event. */
function inOrder(ids: readonly number[], order: EventFilter["order"]): readonly number[] {
  return [...new Set(ids)].toSorted((a, b) => (order === "newest_first" ? b - a : a - b));
}

function parted({ after, before }: Span, upto: number): Parts {
  return [
    { after: Math.max(after, upto), before },
    { after, before: Math.min(before, upto + 1) },
  ];
}

/** A filter never contains both an account and a mail. */
function namesOf({ types = [], account, mail }: Pick<EventFilter, "types" | "account" | "mail">): readonly Name[] {
  // A sign-in is recorded under the name as typed, but an account has its domain as in the DNS.
  if (account !== undefined)
    return [...new Set([inLowerCase(account), asciiAddress(account)])].map((name) => [NAME_ROLE.person, name]);
  // A stranger may use another mail's queue id as a Message-ID, so a queue id is searched only among queue ids.
  if (mail !== undefined)
    return [isQueueId(mail) ? [NAME_ROLE.queueId, mail] : [NAME_ROLE.messageId, cut(bareMessageId(mail))]];
  return types.map(namedType);
}

function namedType(type: string): Name {
  return [NAME_ROLE.type, type];
}

/** Cuts like SQLite's `substr`, which counts characters and not UTF-16 units. */
function cut(name: string): string {
  return name.length <= LONGEST_NAME ? name : [...name].slice(0, LONGEST_NAME).join("");
}

/** Same result as SQLite's `lower`. */
function inLowerCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** False for accounts, which are in the same index. */
function isWithin(subject: string, network: Prefix): boolean {
  return subject.includes("/") && !subject.includes("@") && overlaps(prefixColumn(subject), network);
}

function ordered(sql: (text: string) => StatementSync, direction: "ASC" | "DESC") {
  const [beyond, before] = direction === "DESC" ? ["<", ">"] : [">", "<"];
  return {
    // For a network, `matches` excludes most rows by their text before the exact check.
    walk: sql(`
      SELECT id, ?4 IS NULL OR prefix GLOB ?4 OR prefix IN (SELECT value FROM json_each(?5)) AS matches
      FROM event WHERE id > ?1 AND id < ?2 ORDER BY id ${direction} LIMIT ?3`),
    fresh: sql("SELECT id FROM event_names WHERE id >= ? AND id <= ? AND role = ? AND name = ?"),
    named: sql(`
      SELECT id FROM event_name WHERE role = ? AND name = ? AND id > ? AND id < ? ORDER BY id ${direction} LIMIT ?`),
    ofSubject: sql(`
      SELECT at, id FROM event_subject
      WHERE subject = ?1 AND counts = ?2 AND (at, id) ${beyond} (?3, ?4) AND (at, id) ${before} (?8, ?9) AND id > ?5 AND id < ?6
      ORDER BY at ${direction}, id ${direction} LIMIT ?7`),
  };
}
