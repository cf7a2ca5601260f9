import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { alertFrames } from "../src/core/alerts/frames.ts";
import { germanConditions, germanNotices } from "../src/core/alerts/german.ts";
import { texts as german } from "./texts/german.ts";
import * as admin from "./texts/german-admin.ts";
import * as mailbox from "./texts/german-mailbox.ts";

/** Names that lost: the last column of the table in CONTRIBUTING.md. */
function losers(): readonly string[] {
  const guide = readFileSync(new URL("../CONTRIBUTING.md", import.meta.url), "utf8");
  const [, table = ""] = guide.split("| English | German | not |\n|---|---|---|\n");
  const rows = table.slice(0, table.indexOf("\n\n")).split("\n");
  return rows.flatMap((row) => row.split("|")[3]?.split(",") ?? []).map((word) => word.trim());
}

/** Of a text with parameters, what it is made of. */
function textsOf(value: unknown): readonly string[] {
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [String(value)];
}

test("the page and the alerts call one thing by one German name", () => {
  const words = losers();
  assert.ok(words.length > 15, `${words.length} words`);
  const texts = [german, admin, mailbox, germanNotices, germanConditions, alertFrames.de].flatMap(textsOf);
  for (const word of words) {
    const whole = new RegExp(`(?<![\\p{L}])${word}(?![\\p{L}])`, "u");
    assert.deepEqual(
      texts.filter((text) => whole.test(text)),
      [],
      `"${word}" has another name: see "German texts" in CONTRIBUTING.md`,
    );
  }
});
