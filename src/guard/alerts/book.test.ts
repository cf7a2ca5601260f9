import assert from "node:assert/strict";
import { test } from "node:test";
import { NOON } from "../../../test/kit/samples.ts";
import type { Holding } from "../../core/alerts/alerts.ts";
import { later, type Millis } from "../../core/time.ts";
import { AlertBook } from "./book.ts";
import type { Alert } from "./ports.ts";

const SETTLE_MS = 60_000;
const DISK: Holding = { code: "disk_nearly_full", subject: "", detail: "12 MB are left" };

const at = (seconds: number): Millis => later(NOON, seconds * 1_000);
const down = (subject: string): Holding => ({ code: "component_down", subject, detail: "not running" });
const subjects = (alerts: readonly Alert[]) => alerts.map(({ subject }) => subject);

test("a lasting condition is one alert, from its start, with its latest details", () => {
  const book = new AlertBook([], NOON);
  assert.equal(book.update([DISK], at(0), SETTLE_MS).opened.length, 1);
  const again = book.update([{ ...DISK, detail: "3 MB are left" }], at(10), SETTLE_MS);
  assert.deepEqual(again, { opened: [], resolved: [] });
  const open = { ...DISK, detail: "3 MB are left", openedAt: at(0), lastAt: at(10), resolvedAt: null };
  assert.deepEqual(book.open, [open]);
});

test("an alert is resolved once its condition has been false for its settling time", () => {
  const book = new AlertBook([], NOON);
  book.update([DISK], at(0), SETTLE_MS);
  assert.deepEqual(book.update([], later(at(60), -1), SETTLE_MS).resolved, []);
  const over = { ...DISK, openedAt: at(0), lastAt: at(0), resolvedAt: at(60) };
  assert.deepEqual(book.update([], at(60), SETTLE_MS).resolved, [over]);
  assert.deepEqual([book.open, book.resolved], [[], [over]]);
});

test("an alert is resolved at once if the owner's decision ended its condition", () => {
  const book = new AlertBook([], NOON);
  const held: Holding = { code: "account_held", subject: "anna@example.org", detail: "a mail to 51 recipients" };
  book.update([held, DISK], at(0), SETTLE_MS);
  assert.deepEqual(book.update([held, DISK], at(1), SETTLE_MS).resolved, []);
  assert.deepEqual(subjects(book.update([], later(at(1), 1), SETTLE_MS).resolved), [held.subject]);
  assert.deepEqual(subjects(book.open), [DISK.subject]);
});

test("alerts open before a restart have half a minute to be found again; resolved ones stay resolved", () => {
  const kept = { ...DISK, openedAt: at(-500), lastAt: at(-400) };
  const over = { ...kept, subject: "before", resolvedAt: at(-300) };
  const book = new AlertBook([{ ...kept, resolvedAt: null }, over], NOON);
  assert.deepEqual(subjects(book.resolved), ["before"]);
  assert.equal(book.open.length, 1);
  assert.deepEqual(book.update([], later(at(90), -1), SETTLE_MS).resolved, []);
  assert.equal(book.update([], at(90), SETTLE_MS).resolved.length, 1);
});

test("an alert in the future, because the clock was set back, does not last forever", () => {
  const book = new AlertBook([], NOON);
  book.update([DISK], at(0), SETTLE_MS);
  assert.deepEqual(book.update([], at(-30), SETTLE_MS).resolved, []);
  assert.equal(book.update([], later(at(-30), -1), SETTLE_MS).resolved.length, 1);
});

test("at most two hundred alerts are open; they stay open, and further ones are reported only if the server is unhealthy", () => {
  const book = new AlertBook([], NOON);
  const limited = { code: "sending_limited", detail: "" } as const;
  const many = Array.from({ length: 201 }, (_, i) => ({ ...limited, subject: `${i}` }));
  assert.equal(book.update(many, at(0), SETTLE_MS).opened.length, 200);
  book.update(many, at(30), SETTLE_MS);
  assert.deepEqual(book.update(many, at(80), SETTLE_MS), { opened: [], resolved: [] });
  assert.equal(book.open[199]?.lastAt, at(80));
  const further = [{ ...DISK, code: "report_unsent" }, { ...DISK, code: "disk_full" }, down("smtp")] as const;
  const { opened } = book.update([...many, ...further], at(81), SETTLE_MS);
  const codes = opened.map(({ code }) => code);
  assert.deepEqual(codes, ["disk_full", "component_down"]);
});

test("the last hundred resolved ones are kept, newest first", () => {
  const book = new AlertBook([], NOON);
  for (let i = 0; i < 101; i++) {
    book.update([down(`${i}`)], at(i * 100), SETTLE_MS);
    book.update([], at(i * 100 + 60), SETTLE_MS);
  }
  assert.equal(book.resolved.length, 100);
  assert.deepEqual(subjects(book.resolved.slice(0, 2)), ["100", "99"]);
});
