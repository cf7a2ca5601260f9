import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dayOf,
  endOfDay,
  escapeInvisible,
  hourAndMinute,
  moment,
  percent,
  relativeTime,
  shortPrefix,
  size,
  whole,
  windowTitle,
} from "./format.ts";

const NOW = new Date(2026, 10, 21, 14, 2, 30).getTime();

test("a distance in time is shown in its largest unit, in the reader's language", () => {
  assert.equal(relativeTime(NOW + 25 * 60_000, NOW, "en"), "in 25 minutes");
  assert.equal(relativeTime(NOW - 3 * 3_600_000, NOW, "en"), "3 hours ago");
  assert.equal(relativeTime(NOW - 2 * 86_400_000, NOW, "de"), "vor 2 Tagen");
  assert.equal(relativeTime(NOW, NOW, "en"), "in 0 seconds");
});

test("a time on a different day is shown with its date", () => {
  assert.equal(moment(NOW - 1_000, NOW, "en"), "14:02:29");
  assert.equal(moment(NOW - 86_400_000, NOW, "en"), "Nov 20, 14:02:30");
  assert.equal(moment(NOW - 365 * 86_400_000, NOW, "en"), "Nov 21, 2025, 14:02:30");
  assert.equal(hourAndMinute(NOW, "de"), "14:02");
});

test("a day that was not changed keeps its stored time, and any other ends with its last second", () => {
  const stored = new Date(2026, 11, 24, 0, 59, 59).toISOString();
  const last = new Date(2026, 11, 24, 23, 59, 59).toISOString();
  assert.equal(dayOf(stored), "2026-12-24");
  assert.equal(endOfDay("2026-12-24", stored, NOW), stored);
  assert.equal(endOfDay("2026-12-24", null, NOW), last);
  assert.equal(endOfDay("2026-12-24", new Date(2026, 11, 23).toISOString(), NOW), last);
  assert.equal(endOfDay("2026-12-24", stored, Date.parse(stored)), last, "it is past");
  assert.deepEqual([endOfDay("", null, NOW), endOfDay("", stored, NOW)], [null, null]);
});

test("numbers have the separators of the language", () => {
  assert.equal(whole(1_234_567, "en"), "1,234,567");
  assert.equal(whole(1_234_567, "de"), "1.234.567");
});

test("the window's title names the part of a page before the page, and nothing twice", () => {
  assert.equal(windowTitle("", "Aliases", "Accounts"), "Aliases – Accounts – GhostInbox");
  assert.equal(windowTitle("GhostInbox"), "GhostInbox");
});

test("invisible characters are shown by their number", () => {
  assert.equal(escapeInvisible("a\u202Eb\u0000c\u200B\u2028"), "a\\u{202e}b\\u{0}c\\u{200b}\\u{2028}");
  assert.equal(escapeInvisible("<b>ä 漢 🙂</b>"), "<b>ä 漢 🙂</b>");
});

test("a single address loses its length, a network keeps it", () => {
  const shown = ["192.0.2.1/32", "192.0.2.0/24", "2001:db8::1/128", "2001:db8::/32"].map(shortPrefix);
  assert.deepEqual(shown, ["192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32"]);
});

test("a share is shown in percent, as the language writes it", () => {
  assert.deepEqual([percent(0.125, "en"), percent(0, "en"), percent(1, "de")], ["12.5%", "0%", "100\u00a0%"]);
});

test("a size is shown in the largest unit that it fills, in powers of 1,024", () => {
  const reported = [0, 512, 5 * 1024 ** 2, 3.14 * 1024 ** 3, 2 * 1024 ** 4].map((bytes) => size(bytes, "en"));
  assert.deepEqual(reported, ["0 KB", "0.5 KB", "5 MB", "3.1 GB", "2 TB"]);
  assert.equal(size(1.5 * 1024 ** 3, "de"), "1,5 GB");
});
