import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../test/kit/any-character.ts";
import { instant } from "./time.ts";
import { parseVacation, VACATION_LIMITS } from "./vacation.ts";

const NOW = instant(Date.parse("2026-11-22T12:00:00Z"));
const AWAY = { subject: "Away", text: "I am back on Monday.", until: null };

test("a reply has a text of lines, and may have a subject and an end", () => {
  const parsed = parseVacation(
    { subject: " Away ", text: "\r\nLine 1\r\n\tLine 2 ü\n", until: "2026-12-01T00:00:00Z" },
    NOW,
  );
  const until = instant(Date.parse("2026-12-01T00:00:00Z"));
  assert.deepEqual(parsed, { ok: true, vacation: { subject: "Away", text: "Line 1\n\tLine 2 ü", until } });
  assert.deepEqual(parseVacation({ ...AWAY, subject: "" }, NOW), { ok: true, vacation: { ...AWAY, subject: "" } });
  assert.ok(parseVacation({ ...AWAY, until: "2026-11-22T14:00:00.5+01:00" }, NOW).ok);
  const day = parseVacation({ ...AWAY, until: "2026-11-22" }, NOW);
  assert.ok(day.ok && day.vacation.until === Date.parse("2026-11-22T23:59:59Z"));
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
    assert.ok(!parsed.ok && says.test(parsed.says), JSON.stringify(changes));
  }
});

test("no text makes it throw, and none that it takes has a control character but lines and tabs", () => {
  const any = fc.string({ unit: ANY_CHARACTER });
  fc.assert(
    fc.property(any, any, fc.option(any), (subject, text, until) => {
      const parsed = parseVacation({ subject, text, until }, NOW);
      if (parsed.ok)
        assert.doesNotMatch(parsed.vacation.subject + parsed.vacation.text.replace(/[\n\t]/g, ""), /\p{Cc}/u);
    }),
  );
});
