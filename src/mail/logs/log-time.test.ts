import assert from "node:assert/strict";
import { test } from "node:test";
import { instant } from "../../core/time.ts";
import { timeOfLine } from "./log-line.ts";

const NOW = instant(new Date(2026, 10, 20, 12, 0, 0).getTime());
const local = (...parts: readonly [number, number, number, number, number, number]): number =>
  new Date(...parts).getTime();

test("the time of a line, in each of the three forms", () => {
  assert.equal(timeOfLine("Nov 20 08:08:30 mail postfix/smtpd[1]: x", NOW), local(2026, 10, 20, 8, 8, 30));
  assert.equal(timeOfLine("Nov  2 08:08:30 imap-login: Info: x", NOW), local(2026, 10, 2, 8, 8, 30));
  assert.equal(timeOfLine("2026-11-20_08:08:30.12345 guard: x", NOW), Date.UTC(2026, 10, 20, 8, 8, 30, 123));
  assert.equal(timeOfLine("2026-11-20 08:08:30,123 fail2ban.jail: x", NOW), local(2026, 10, 20, 8, 8, 30) + 123);
});

test("a day that is yet to come this year was last year's, tomorrow is a clock that was set", () => {
  assert.equal(timeOfLine("Dec 31 23:59:59 mail x", NOW), local(2025, 11, 31, 23, 59, 59));
  assert.equal(timeOfLine("Nov 21 08:00:00 mail x", NOW), local(2026, 10, 21, 8, 0, 0));
  const newYear = instant(local(2026, 11, 31, 23, 59, 59));
  assert.equal(timeOfLine("Jan  1 00:00:01 mail x", newYear), local(2027, 0, 1, 0, 0, 1));
});

test("lines that do not start with a time", () => {
  for (const line of ["", "x", "Foo 20 08:08:30 mail", "2026-99-20_08:08:30.1 x", " Nov 20 08:08:30 mail"])
    assert.equal(timeOfLine(line, NOW), null, line);
});
