import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_TYPES } from "../src/core/events/event-types.ts";
import { EVENT_NAMES, eventName, toneOf } from "./event-names.ts";
import { catalogue, preferred } from "./messages.ts";

/** Texts that are the same in both languages. */
const ALIKE = [
  "live.live",
  "events.text",
  "upkeep.domain",
  "upkeep.dnsMore",
  "nav.system",
  "passkeys.title",
  "system.title",
  "find.messageIds",
];

test("every text is there in both languages, and translated", () => {
  const alike = [...textsOf(catalogue.en)].flatMap(([path, text]) =>
    textsOf(catalogue.de).get(path) === text ? [path] : [],
  );
  assert.deepEqual(alike.toSorted(), ALIKE.toSorted());
  assert.deepEqual([...textsOf(catalogue.en).keys()], [...textsOf(catalogue.de).keys()]);
});

test("every type of an event has a name in both languages, and no other has", () => {
  assert.deepEqual(Object.keys(EVENT_NAMES), [...EVENT_TYPES]);
  for (const type of EVENT_TYPES) assert.notEqual(eventName(type, "en"), eventName(type, "de"));
  assert.equal(eventName("SOME_NEW_ONE", "de"), "some new one");
  assert.equal(toneOf("LOGIN_FAILED"), "warn");
});

test("the page speaks the first language of the reader that it knows", () => {
  assert.equal(preferred([null, "fr-FR", "de-AT", "en"]), "de");
  assert.equal(preferred(["en-GB", "de"]), "en");
  assert.equal(preferred([]), "en");
});

/** By their paths; of those with parameters, what they are made of. */
function textsOf(messages: object, path: readonly string[] = []): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(messages).flatMap(([name, value]: [string, unknown]) => {
      const at = [...path, name];
      return typeof value === "object" && value !== null
        ? [...textsOf(value, at)]
        : [[at.join("."), String(value)] as const];
    }),
  );
}
