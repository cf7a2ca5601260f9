import assert from "node:assert/strict";
import { test } from "node:test";
import { eventItem } from "../../../test/kit/samples.ts";
import type { ShownEvent } from "../../core/events/columns.ts";
import type { Outcome } from "../../guard/ports.ts";
import type { EventFilter, EventPage } from "../../guard/storage-ports.ts";
import { createExporter } from "./exporter.ts";

/** Times of events, in one database and in another. */
const [FIRST_TIME, OTHER_TIME] = ["2026-11-20T08:00:00.000Z", "2026-11-21T09:30:00.000Z"];

const idsFrom = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** Events 1 to `newest` except removed ones, a receiver that can fail, and the record of an earlier run. */
function kit(newest: number, position: number | null = null) {
  const state = {
    newest,
    position,
    at: FIRST_TIME as string | null,
    trouble: null as string | null,
    lost: 0,
    notes: 0,
    isWritten: true,
    outcome: { ok: true } as Outcome,
    /** Events from this id on have `OTHER_TIME`. */
    other: Number.POSITIVE_INFINITY,
    isKept: (_id: number): boolean => true,
  };
  const delivered: number[] = [];
  const events = ({ after = 0, most, order }: EventFilter): EventPage => {
    const ids = idsFrom(after + 1, state.newest).filter((id) => state.isKept(id));
    const chosen = order === "newest_first" ? ids.toReversed().slice(0, most) : ids.slice(0, most);
    const next = order === "oldest_first" && chosen.length < ids.length ? (chosen.at(-1) ?? null) : null;
    const timeOf = (id: number) => (id < state.other ? FIRST_TIME : OTHER_TIME);
    return { items: chosen.map((id) => eventItem("CONNECT", { id, at: timeOf(id) })), next };
  };
  const exporter = () =>
    createExporter({
      events,
      receiver: {
        deliver: (items: readonly ShownEvent[]) => {
          if (state.outcome.ok) delivered.push(...items.map(({ id }) => id));
          return Promise.resolve(state.outcome);
        },
      },
      record: {
        last: () => (state.position === null ? null : { id: state.position, at: state.at }),
        note: ({ id, at }, { trouble, lost }) => {
          state.notes += 1;
          state.position = id;
          state.at = at;
          state.trouble = trouble;
          state.lost += lost;
          return state.isWritten;
        },
      },
    });
  return { state, delivered, exporter };
}

test("the first run starts with new events", async () => {
  const { state, delivered, exporter } = kit(5);
  const first = exporter();
  assert.equal(await first.step(), 1_000);
  assert.deepEqual([delivered, state.position], [[], 5]);
  state.newest = 7;
  await first.step();
  assert.deepEqual([delivered, state.position], [[6, 7], 7]);
  const before = state.notes;
  for (let i = 0; i < 10; i++) await first.step();
  assert.equal(state.notes, before, "nothing is written while nothing happens");
});

test("unconfirmed events are sent again at growing intervals, and the position does not move", async () => {
  const { state, delivered, exporter } = kit(3, 1);
  state.outcome = { ok: false, reason: "ECONNREFUSED" };
  const run = exporter();
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) waits.push(await run.step());
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  assert.deepEqual([delivered, state.position, state.trouble], [[], 1, "ECONNREFUSED"]);
  state.outcome = { ok: true };
  await run.step();
  assert.deepEqual([delivered, state.position, state.trouble], [[2, 3], 3, null]);
  state.outcome = { ok: false, reason: "ECONNREFUSED" };
  state.newest = 4;
  assert.equal(await run.step(), 1_000, "the waits start again");
});

test("the notice of an earlier run ends with a step that finds nothing to send", async () => {
  const { state, exporter } = kit(3, 3);
  state.trouble = "the database was not there";
  await exporter().step();
  assert.equal(state.trouble, null);
});

test("a position that could not be written is noted again, even if nothing happens", async () => {
  const { state, delivered, exporter } = kit(5, 3);
  const run = exporter();
  state.isWritten = false;
  for (let i = 0; i < 3; i++) assert.equal(await run.step(), 1_000);
  assert.deepEqual([delivered, state.notes], [[4, 5], 3]);
  state.isWritten = true;
  for (let i = 0; i < 3; i++) await run.step();
  assert.equal(state.notes, 4);
});

test("the same applies to a restored database whose ids have grown past the last one", async () => {
  const { state, delivered, exporter } = kit(30, 20);
  state.other = 15;
  const run = exporter();
  await run.step();
  await run.step();
  assert.deepEqual([delivered, state.position, state.at, state.lost], [idsFrom(1, 30), 30, OTHER_TIME, 0]);
});

test("an unreadable record sends all kept events, and does not count removed ones as lost", async () => {
  const { state, delivered, exporter } = kit(30, 0);
  state.at = null;
  state.isKept = (id) => id === 5 || id > 10;
  const run = exporter();
  state.outcome = { ok: false, reason: "ECONNREFUSED" };
  await run.step();
  const again = exporter();
  state.outcome = { ok: true };
  await again.step();
  assert.deepEqual([delivered.length, delivered[0], delivered[1], state.lost], [21, 5, 11, 0]);
  state.newest = 40;
  state.isKept = (id) => id > 35;
  await again.step();
  assert.deepEqual([state.position, state.lost], [40, 5]);
});

test("events removed while the receiver was away are counted, once it accepts events again", async () => {
  const { state, delivered, exporter } = kit(300, 10);
  state.isKept = (id) => id === 20 || id > 50;
  state.outcome = { ok: false, reason: "ECONNREFUSED" };
  const run = exporter();
  await run.step();
  assert.equal(state.lost, 0);
  state.outcome = { ok: true };
  await run.step();
  await run.step();
  assert.deepEqual([delivered.length, state.position, state.lost], [251, 300, 39]);
});
