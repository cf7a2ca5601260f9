import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../../test/kit/any-character.ts";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import { VACATION_LIMITS, type VacationItem } from "../../../admin/mailboxes.ts";
import { instant, isoTime, later } from "../../../core/time.ts";
import { parseVacation } from "./vacation.ts";

const NAME = "alice@example.test";
const AWAY = { subject: "Away", text: "I am in Rome.", until: null };

const NOW = instant(Date.parse("2026-11-22T12:00:00Z"));

const kit = commandsOf(import.meta.filename, NAME);

const set = (vacation: VacationItem | null, name = NAME) =>
  kit.ask({ verb: "vacation_set", name, ...(vacation ?? { subject: "", text: null, until: null }) });

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

test("a reply without text, with a past end, or for a missing account is refused and changes nothing", async () => {
  for (const [reply, kind] of [
    [await set(AWAY, "nonsense"), "usage"],
    [await set(AWAY, "nobody@example.test"), "failed"],
    [await set({ ...AWAY, text: " " }), "usage"],
    [await set({ ...AWAY, until: isoTime(kit.clock.now()) }), "usage"],
  ] as const)
    assert.ok(!reply.ok && reply.kind === kind);
  assert.equal(kit.vacationOf(NAME), null);
});

test("a reply has a text of lines, and may have a subject and an end", () => {
  const parsed = parseVacation(
    { subject: " Away ", text: "\r\nLine 1\r\n\tLine 2 ü\n", until: "2026-12-01T00:00:00Z" },
    NOW,
  );
  const until = instant(Date.parse("2026-12-01T00:00:00Z"));
  assert.deepEqual(parsed, { subject: "Away", text: "Line 1\n\tLine 2 ü", until });
  assert.deepEqual(parseVacation({ ...AWAY, subject: "" }, NOW), { ...AWAY, subject: "" });
  assert.ok("text" in parseVacation({ ...AWAY, until: "2026-11-22T14:00:00.5+01:00" }, NOW));
  const day = parseVacation({ ...AWAY, until: "2026-11-22" }, NOW);
  assert.ok("text" in day && day.until === Date.parse("2026-11-22T23:59:59Z"));
});

test("what is empty, too long, over, or no text is refused", () => {
  for (const [changes, says] of [
    [{ text: " \n " }, /no text/],
    [{ text: "x".repeat(VACATION_LIMITS.text + 1) }, /longer than 4000/],
    [{ subject: "x".repeat(VACATION_LIMITS.subject + 1) }, /longer than 200/],
    [{ subject: "a\nBcc: all@example.org" }, /one line/],
    [{ text: "a\0b" }, /control characters/],
    [{ text: "a\rb" }, /control characters/],
    [{ text: "a\ud800b" }, /control characters/],
    [{ until: "tomorrow" }, /not a time/],
    [{ until: "2026-13-01T00:00:00Z" }, /not a time/],
    [{ until: "2027-02-30T00:00:00Z" }, /not a time/],
    [{ until: "2026-02-30" }, /not a time/],
    [{ until: "2026-11-21" }, /ended already/],
    [{ until: "2026-11-22T12:00:00Z" }, /ended already/],
  ] as const) {
    const parsed = parseVacation({ ...AWAY, ...changes }, NOW);
    assert.ok("ok" in parsed && parsed.kind === "usage" && says.test(parsed.message), JSON.stringify(changes));
  }
});

test("no text makes it throw, and none that it takes has a control character but lines and tabs", () => {
  const any = fc.string({ unit: ANY_CHARACTER });
  fc.assert(
    fc.property(any, any, fc.option(any), (subject, text, until) => {
      const parsed = parseVacation({ subject, text, until }, NOW);
      if ("text" in parsed) assert.doesNotMatch(parsed.subject + parsed.text.replace(/[\n\t]/g, ""), /\p{Cc}/u);
    }),
  );
});
