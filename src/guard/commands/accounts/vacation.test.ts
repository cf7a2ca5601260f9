import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../../test/kit/any-character.ts";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import type { VacationItem } from "../../../admin/mailboxes.ts";
import { instant, isoTime, later } from "../../../core/time.ts";
import { parseEnd } from "./account-settings.ts";

const NAME = "alice@example.test";
const AWAY = { subject: "Away", text: "I am in Rome.", until: null };

const NOW = instant(Date.parse("2026-11-22T12:00:00Z"));

const kit = commandsOf(import.meta.filename, NAME);

const set = (vacation: VacationItem | null) =>
  kit.ask({ verb: "vacation_set", name: NAME, ...(vacation ?? { subject: "", text: null, until: null }) });

test("a reply is set and ended, and each change is recorded without its text", async () => {
  assert.deepEqual(await set(AWAY), { ok: true, result: { name: NAME, vacation: AWAY } });
  assert.deepEqual(kit.vacationOf(NAME), AWAY);
  const until = isoTime(later(kit.clock.now(), 60_000));
  await set({ ...AWAY, until });
  await set(null);
  assert.equal(kit.vacationOf(NAME), null);
  assert.deepEqual(kit.details().slice(1), [
    `${NAME} until it is ended by root`,
    `${NAME} until ${until} by root`,
    `${NAME} no longer by root`,
  ]);
  assert.deepEqual(new Set(kit.types().slice(1)), new Set(["VACATION_CHANGED"]));
});

test("a reply without text or with a past end is refused and changes nothing", async () => {
  for (const wrong of [{ text: " " }, { until: isoTime(kit.clock.now()) }])
    assert.match(await kit.said({ verb: "vacation_set", name: NAME, ...AWAY, ...wrong }), /^usage /);
  assert.equal(kit.vacationOf(NAME), null);
});

test("the end of a reply is a time or a day to come", () => {
  const until = (end: string) => {
    const parsed = parseEnd(end, NOW);
    return typeof parsed === "number" ? isoTime(parsed) : parsed.message;
  };
  assert.equal(until("2026-12-01T00:00:00Z"), "2026-12-01T00:00:00.000Z");
  assert.equal(until("2026-11-22T14:00:00.5+01:00"), "2026-11-22T13:00:00.500Z");
  assert.equal(until("2026-11-22"), "2026-11-22T23:59:59.000Z");
  for (const wrong of ["tomorrow", "2026-13-01T00:00:00Z", "2027-02-30T00:00:00Z", "2026-02-30"])
    assert.match(until(wrong), /not a time/);
  for (const past of ["2026-11-21", "2026-11-22T12:00:00Z"]) assert.match(until(past), /ended already/);
});

test("no end makes it throw", () => {
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (until) => void parseEnd(until, NOW)));
});
