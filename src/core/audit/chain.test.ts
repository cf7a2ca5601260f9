// Invariant: Audited events are chained by hashes; an edit, a removal, an insertion, a cut or a rewritten chain is found against root's hourly anchors.

import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { seeded } from "../../../test/kit/test-database.ts";
import { instant, later } from "../time.ts";
import {
  type Anchor,
  AUDIT_LIMITS,
  type AuditEntry,
  checkChain,
  ENTRIES_STAY_MS,
  GENESIS,
  hashedText,
} from "./chain.ts";

const sha256 = (text: string): string => hash("sha256", text);

function chainOf(count: number, first = 1): readonly AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let id = first; id < first + count; id++) {
    const content = { actor: "root", type: "BAN", subject: `203.0.113.${id}/32`, detail: `{"count":${id}}` };
    entries.push(sealed({ ...content, id, at: "2026-11-20T06:00:00.000Z", previous: entries.at(-1)?.hash ?? GENESIS }));
  }
  return entries;
}

function sealed(entry: Omit<AuditEntry, "hash">): AuditEntry {
  return { ...entry, hash: sha256(hashedText(entry)) };
}

/** Entries with other content from this index on, and hashes that match it, as a program that can write the database could make them. */
function writtenAgain(entries: readonly AuditEntry[], from: number): readonly AuditEntry[] {
  const again: AuditEntry[] = entries.slice(0, from);
  for (const entry of entries.slice(from))
    again.push(sealed({ ...entry, actor: "nobody", previous: again.at(-1)?.hash ?? GENESIS }));
  return again;
}

/** Returns the entries with ids that have no gaps. */
function renumbered(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  return entries.map((entry, i) => ({ ...entry, id: i + 1 }));
}

function anchorOf(entry: AuditEntry | undefined): Anchor {
  return entry === undefined ? assert.fail() : { at: "2026-11-20T07:00:00.000Z", id: entry.id, hash: entry.hash };
}

/** The first time at which the entries, and their anchors of the first day, may have been removed. */
const LATER = later(instant(Date.parse("2026-11-21T00:00:00.000Z")), ENTRIES_STAY_MS);
const check = (entries: readonly AuditEntry[], anchors: readonly Anchor[] = [], numbered = 0, now = LATER) =>
  checkChain(entries, { anchors, numbered, now, limits: LIMITS }, sha256);
const LIMITS = { most: 100, mostYoung: 500 };
const FIVE = chainOf(5);

test("an unchanged chain matches its anchors, and so does an empty one", () => {
  assert.equal(check([]).fault, null);
  const again = { ...anchorOf(FIVE[3]), at: "2026-11-20T08:00:00.000Z" };
  const { fault, first, last, anchored } = check(FIVE, [anchorOf(FIVE[1]), anchorOf(FIVE[3]), again]);
  assert.deepEqual([fault, first, last, anchored], [null, 1, 5, again]);
  assert.equal(GENESIS.length, sha256("").length);
});

test("a changed entry is found, even with a hash that matches it", () => {
  for (const field of ["actor", "type", "subject", "detail", "at"] as const) {
    const changed = FIVE.map((entry) => (entry.id === 3 ? { ...entry, [field]: "else" } : entry));
    assert.match(check(changed).fault?.says ?? "", /^entry 3 was changed/, field);
    const resealed = changed.map((entry) => (entry.id === 3 ? sealed(entry) : entry));
    assert.match(check(resealed).fault?.says ?? "", /^entry 4 does not follow entry 3/, field);
  }
});

test("a missing entry is found, wherever it was", () => {
  const without = (id: number) => check(FIVE.filter((entry) => entry.id !== id)).fault;
  assert.deepEqual(without(3), { id: 3, says: "1 entry from 3 on is missing" });
  assert.deepEqual(without(1), { id: 1, says: "1 entry from 1 on is missing" });
  assert.equal(check(renumbered(FIVE.filter(({ id }) => id !== 3))).fault?.id, 3);
  assert.equal(check(FIVE.slice(2)).fault?.says, "2 entries from 1 on are missing");
});

test("an inserted entry is found", () => {
  const false3 = sealed({ ...(FIVE[2] ?? assert.fail()), subject: "198.51.100.1/32" });
  const shifted = [...FIVE.slice(0, 2), false3, ...FIVE.slice(2).map((entry) => ({ ...entry, id: entry.id + 1 }))];
  assert.equal(check(shifted).fault?.id, 4);
  const alone = (id: number, previous: string) => check([sealed({ ...false3, id, previous })]).fault?.says;
  assert.equal(alone(0, GENESIS), "entry 0 cannot be the first one");
  assert.equal(alone(1, sha256("")), "entry 1 cannot be the first one");
});

test("a removal of the newest entries, and a rewritten chain, are found only by an anchor", () => {
  assert.equal(check(FIVE.slice(0, 3)).fault, null);
  const cut = check(FIVE.slice(0, 3), [anchorOf(FIVE[3]), anchorOf(FIVE[4])]).fault?.says ?? "";
  assert.match(cut, /^2 entries from 4 on are missing: the newest entry anchored at 2026-11-20T07:00/);
  assert.match(check([], [anchorOf(FIVE[4])]).fault?.says ?? "", /^5 entries from 1 on are missing/);
  const again = writtenAgain(FIVE, 2);
  assert.equal(check(again).fault, null);
  const { fault, anchored } = check(again, [anchorOf(FIVE[3]), anchorOf(again[4])]);
  assert.match(fault?.says ?? "", /^entry 4 is not the one that was anchored/);
  assert.equal(anchored, null);
});

test("a removal of the newest entries is found without an anchor, by the numbers that the database has given", () => {
  assert.equal(check(FIVE, [], 5).fault, null);
  const { fault } = check(FIVE.slice(0, 3), [], 5);
  assert.equal(fault?.says, "2 entries from 4 on are missing: the database has given numbers up to 5");
  assert.equal(check([], [], 5).fault?.id, 1);
});

test("an entry that was missing when root accepted the chain is not reported later, one missing since is", () => {
  for (const left of [FIVE.slice(0, 3), []]) {
    const { last: id, head, sum, numbered } = check(left, [], 5);
    const at = "2026-11-20T08:00:00.000Z";
    const accepted = { at, id, hash: head, accepted: { reason: "why", sum, numbered } };
    assert.equal(check(left, [accepted], 5).fault, null);
    const next = sealed({ ...(FIVE[4] ?? assert.fail()), id: 6, previous: head });
    assert.equal(check([...left, next], [accepted], 6).fault, null);
    const later = sealed({ ...next, id: 7 });
    assert.equal(check([...left, later], [accepted], 7).fault?.says, `${6 - id} entries from ${id + 1} on are missing`);
    assert.equal(check(left, [accepted], 6).fault?.id, id + 1);
  }
});

/** As many entries as are kept, and three more. */
const MANY = chainOf(103);

test("accepted entries may be removed once they are among the oldest", () => {
  const { last: id, head, sum } = check(MANY.slice(0, 2));
  const accepted = { at: "2026-11-20T08:00:00.000Z", id, hash: head, accepted: { reason: "why", sum } };
  assert.equal(check(MANY, [accepted]).fault, null);
  for (const gone of [1, 2, 3]) assert.equal(check(MANY.slice(gone), [accepted]).fault, null, `${gone} are gone`);
  assert.match(check(MANY.slice(4), [accepted]).fault?.says ?? "", /after root accepted them/);
  const edited = MANY.slice(3).map((entry) => (entry.id === 9 ? { ...entry, actor: "x" } : entry));
  assert.equal(check(edited, [accepted]).fault?.id, 9);
});

test("the oldest may be gone only while as many are left as are kept", () => {
  const many = MANY.slice(0, 101);
  assert.equal(check(many.slice(1)).fault, null);
  assert.equal(check(many.slice(2)).fault?.id, 1);
  const withoutLimits = checkChain(many.slice(1), { anchors: [], numbered: 0, now: LATER }, sha256);
  assert.equal(withoutLimits.fault?.id, 1);
  assert.deepEqual(AUDIT_LIMITS, { most: 100_000, mostYoung: 500_000 });
});

test("an anchored entry that was removed early is reported, but not the oldest that is left, nor an accepted empty chain", () => {
  const soon = instant(Date.parse("2026-11-20T09:00:00.000Z"));
  assert.equal(check(MANY.slice(3), [anchorOf(MANY[0])], 0, soon).fault?.id, 1);
  assert.equal(check(MANY.slice(3), [anchorOf(MANY[3])], 0, soon).fault, null);
  const accepted = { reason: "why", sum: GENESIS, numbered: 3 };
  const empty = { at: "2026-11-20T08:00:00.000Z", id: 0, hash: GENESIS, accepted };
  assert.equal(check(chainOf(100, 4), [empty], 0, soon).fault, null);
});

test("an accepted fault is not reported again while it stays the same", () => {
  const broken = FIVE.filter(({ id }) => id !== 4);
  const lost = { ...anchorOf(FIVE[4]), id: 9 };
  const { last, head, sum } = check(broken, [lost]);
  const accepted = { at: "2026-11-20T08:00:00.000Z", id: last, hash: head, accepted: { reason: "recovery", sum } };
  const later = sealed({ ...(FIVE[4] ?? assert.fail()), id: 6, previous: head });
  assert.equal(check([...broken, later], [lost, accepted]).fault, null);
  const edited = broken.map((entry) => (entry.id === 3 ? sealed({ ...entry, actor: "x" }) : entry));
  assert.match(check(edited, [lost, accepted]).fault?.says ?? "", /after root accepted them/);
  assert.notEqual(check(broken.slice(0, 3), [lost, accepted]).fault, null);
  const tail = FIVE.slice(2);
  const taken = { ...accepted, accepted: { reason: "recovery", sum: check(tail).sum } };
  assert.equal(check(tail, [taken]).fault, null);
  assert.equal(check([], [{ ...taken, id: 0, hash: GENESIS, accepted: { reason: "", sum: GENESIS } }]).fault, null);
  assert.equal(check([...broken, { ...later, actor: "x" }], [lost, accepted]).fault?.id, 6);
});

test("any tampering with entries up to the newest anchor is found", () => {
  const random = seeded(20_261_121);
  const below = (n: number): number => Math.floor(random() * n);
  for (let round = 0; round < 2_000; round++) {
    const entries = chainOf(1 + below(12));
    const anchored = below(entries.length);
    const anchors = [anchorOf(entries[below(anchored + 1)]), anchorOf(entries[anchored])];
    assert.equal(check(entries, anchors).fault, null);
    const at = below(anchored + 1);
    const tampered = [
      () => writtenAgain(entries, at),
      () => entries.toSpliced(at, 1),
      () => renumbered(entries.toSpliced(at, 1)),
      () => writtenAgain(renumbered(entries.toSpliced(at, 1)), at),
      () => entries.slice(0, at),
      () => entries.map((entry, i) => (i === at ? { ...entry, detail: "{}" } : entry)),
      () => entries.toSpliced(at, 0, sealed({ ...(entries[at] ?? assert.fail()), actor: "x" })),
    ][below(7)]?.();
    assert.notEqual(check(tampered ?? [], anchors).fault, null, `round ${round}`);
  }
});
