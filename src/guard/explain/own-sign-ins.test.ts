import assert from "node:assert/strict";
import { test } from "node:test";
import { eventItem } from "../../../test/kit/samples.ts";
import type { EventFilter, EventPage } from "../storage-ports.ts";
import { ownSignIns } from "./own-mailbox.ts";

const ANNA = "anna@example.test";
const TYPES = ["LOGIN_SUCCEEDED", "LOGIN_FAILED", "LOGIN_REFUSED", "LOGIN_DELAYED"];

/** This many sign-ins of alternating kinds; a search finds two at a time. */
function queriesOf(many: number, account = "Anna@example.test") {
  const rows = Array.from({ length: many }, (_, i) =>
    eventItem(TYPES[i % TYPES.length] ?? "", { id: i + 1, account, ip: `198.51.100.${i}`, service: "imap" }),
  );
  return {
    events: ({ types, account: asked, before = Number.POSITIVE_INFINITY, most }: EventFilter): EventPage => {
      assert.equal(asked, ANNA);
      const found = rows.filter((row) => types?.includes(row.type) && row.id < before).toReversed();
      const items = found.slice(0, Math.min(2, most));
      return { items, next: items.length < found.length ? (items.at(-1)?.id ?? null) : null };
    },
  };
}

test("lists successful, failed, slowed and refused sign-ins together, newest first, page by page", () => {
  const queries = queriesOf(10);
  const places: (string | null)[] = [];
  let cursor: number | null = null;
  do {
    const { items, next } = ownSignIns(queries, ANNA, { limit: 4, cursor });
    places.push(...items.map(({ ip }) => ip));
    cursor = next === null ? null : Number(next);
  } while (cursor !== null);
  assert.deepEqual(
    places,
    Array.from({ length: 10 }, (_, i) => `198.51.100.${9 - i}`),
  );
  assert.deepEqual(
    ownSignIns(queries, ANNA, { limit: 4, cursor: 5 }).items.map(({ what, isRight }) => [what, isRight]),
    [
      ["slowed", false],
      ["refused", false],
      ["wrong_password", false],
      ["signed_in", true],
    ],
  );
});

test("a name with the same prefix is a different account", () => {
  assert.deepEqual(ownSignIns(queriesOf(8, "anna@example.test.evil"), ANNA, { limit: 9, cursor: null }), {
    items: [],
    next: null,
  });
});

test("a search through many other events ends early, and the next page continues where it ended", () => {
  let searches = 0;
  const queries = {
    events: ({ before = 1_000 }: EventFilter): EventPage => {
      searches += 1;
      return { items: [], next: before - 1 };
    },
  };
  const { items, next } = ownSignIns(queries, ANNA, { limit: 4, cursor: null });
  assert.deepEqual(items, []);
  assert.ok(searches <= 16, `${searches} searches of 20 ms for one page`);
  assert.equal(next, String(1_000 - searches));
});
