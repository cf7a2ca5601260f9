import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { alertFrames } from "../src/core/alerts/frames.ts";
import { germanConditions, germanNotices } from "../src/core/alerts/german.ts";
import { EVENT_TYPES } from "../src/core/events/event-types.ts";
import { eventName, toneOf } from "./admin-texts.ts";
import { preferred, textsOf } from "./messages.ts";
import { changesEn } from "./texts/accounts.ts";
import { texts as english } from "./texts/english.ts";
import * as englishAdmin from "./texts/english-admin.ts";
import * as englishMailbox from "./texts/english-mailbox.ts";
import { texts as german } from "./texts/german.ts";
import * as germanAdmin from "./texts/german-admin.ts";
import * as germanMailbox from "./texts/german-mailbox.ts";

/** Texts that are the same in both languages. */
const ALIKE = [
  "live.live",
  "events.text",
  "upkeep.domain",
  "nav.system",
  "passkeys.title",
  "mail.greylist",
  "system.dns",
  "find.messageIds",
];

test("every text exists in both languages, and is translated", () => {
  // The server's problems are in English, so only the other language has texts for them.
  const en = allOf({ ...english, ...englishAdmin, ...englishMailbox, problems: {} });
  const de = allOf({ ...german, ...germanAdmin, ...germanMailbox, problems: {} });
  const alike = [...en].flatMap(([path, text]) => (de.get(path) === text ? [path] : []));
  assert.deepEqual(alike.toSorted(), ALIKE.toSorted());
  assert.deepEqual([...en.keys()], [...de.keys()]);
});

test("what a button removes has a small letter within its English text, and keeps the rest", () => {
  const { removeOf } = english;
  const own = englishAdmin.accountOwn;
  assert.equal(removeOf(own.inSentence(own.forwarding)), "Remove forwarding");
  assert.equal(removeOf(own.inSentence(`${own.app} Phone`)), "Remove app password Phone");
  const de = germanAdmin.accountOwn;
  assert.equal(german.removeOf(de.inSentence(de.forwarding)), "Weiterleitung entfernen");
});

test("one mail is singular, and held mail is counted by what reached its limit", () => {
  assert.deepEqual(["1", "2"].map(englishAdmin.now.busy), ["1 mail", "2 mails"]);
  assert.deepEqual(["1", "2"].map(germanAdmin.now.busy), ["1 Mail", "2 Mails"]);
  for (const [count, key, english, german] of [
    [1, "limits.sending.refused", "1 refusal", "1 Ablehnung"],
    [2, "limits.sending.refused", "2 refusals", "2 Ablehnungen"],
    [1, "limits.sending.strangers_per_day", "1 stranger", "1 Fremder"],
    [12, "limits.sending.strangers_per_day", "12 strangers", "12 Fremde"],
  ] as const) {
    assert.ok(englishAdmin.find.held(count, key).includes(`: ${english} (`), english);
    assert.ok(germanAdmin.find.held(count, key).includes(`: ${german} (`), german);
  }
});

test("every event type has a name in both languages, in the same order, and nothing else has", () => {
  const last: readonly string[] = Object.keys(changesEn);
  const inOrder = [false, true].flatMap((isLast) => EVENT_TYPES.filter((type) => last.includes(type) === isLast));
  for (const { eventNames } of [englishAdmin, germanAdmin]) assert.deepEqual(Object.keys(eventNames), inOrder);
  assert.equal(eventName("BAN_EXPIRED"), "Ban expired");
  assert.equal(eventName("SOME_NEW_ONE"), "some new one");
  assert.equal(toneOf("LOGIN_FAILED"), "warn");
});

test("the page uses the reader's first language that it knows", () => {
  assert.equal(preferred([null, "fr-FR", "de-AT", "en"]), "de");
  assert.equal(preferred(["en-GB", "de"]), "en");
  assert.equal(preferred([]), "en");
});

test("a part whose texts are missing in the reader's language uses the other one", async () => {
  const missing = () => Promise.reject(new Error("404"));
  assert.equal(await textsOf<string>({ en: missing, de: () => Promise.resolve("Seite") }), "Seite");
  await assert.rejects(textsOf<string>({ en: missing, de: missing }), /404/);
});

/** Rejected names: the last column of the table in CONTRIBUTING.md. */
function rejectedNames(): readonly string[] {
  const guide = readFileSync(new URL("../CONTRIBUTING.md", import.meta.url), "utf8");
  const [, table = ""] = guide.split("| English | German | not |\n|---|---|---|\n");
  const rows = table.slice(0, table.indexOf("\n\n")).split("\n");
  return rows.flatMap((row) => row.split("|")[3]?.split(",") ?? []).map((word) => word.trim());
}

test("the page and the alerts call one thing by one German name", () => {
  const words = rejectedNames();
  assert.ok(words.length > 15, `${words.length} words`);
  const all = [german, germanAdmin, germanMailbox, germanNotices, germanConditions, alertFrames.de];
  const texts = all.flatMap((one) => [...allOf(one).values()]);
  for (const word of words) {
    const whole = new RegExp(`(?<![\\p{L}])${word}(?![\\p{L}])`, "u");
    const found = texts.filter((text) => whole.test(text));
    assert.deepEqual(found, [], `"${word}" has another name: see "German texts" in CONTRIBUTING.md`);
  }
});

/** Texts by their paths; for functions, their source. */
function allOf(messages: object, path: readonly string[] = []): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(messages).flatMap(([name, value]: [string, unknown]) => {
      const at = [...path, name];
      return typeof value === "object" && value !== null
        ? [...allOf(value, at)]
        : [[at.join("."), String(value)] as const];
    }),
  );
}
