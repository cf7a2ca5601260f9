import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { eventItem } from "../../../test/kit/samples.ts";
import { isObject } from "../../admin/declare/fields.ts";
import { octetCounted, syslogMessage } from "./syslog.ts";

/** RFC 5424 section 6, as far as we use it. */
const MESSAGE = /^<(\d{1,3})>1 (\S+) (\S+) ghostinbox - ([A-Z_]{1,32}) \[ghostinbox@32473 id="(\d+)"\] (\{.*\})$/;

test("an event has its type as MSGID, its id in the structured data, and is JSON", () => {
  const event = eventItem("EMAIL_BLOCKED", { id: 48_212, verdict: "refuse", at: "2026-11-20T08:15:00.000Z" });
  const [, priority, time, host, id, number, json = ""] =
    MESSAGE.exec(syslogMessage(event, "mail.example.org")) ?? assert.fail();
  const expected = ["85", "2026-11-20T08:15:00.000Z", "mail.example.org", "EMAIL_BLOCKED", "48212"];
  assert.deepEqual([priority, time, host, id, number], expected);
  assert.match(json, /^\{"event":\{"id":"48212",/);
  assert.match(syslogMessage(eventItem("CONNECT", { verdict: "pass" }), "h"), /^<86>1 /);
});

test("text from strangers stays one line of ASCII that a receiver accepts", () => {
  const text = fc.string({ unit: ANY_CHARACTER, maxLength: 1_024 });
  fc.assert(
    fc.property(text, text, text, (helo, sender, details) => {
      const event = eventItem("EMAIL", { helo, sender, recipient: sender, details });
      const message = syslogMessage(event, "mail.example.org");
      assert.match(message, /^[\x20-\x7e]+$/);
      assert.match(message, MESSAGE);
      assert.ok(message.length <= 8_192, String(message.length));
      assert.equal(octetCounted(message), `${message.length} ${message}`);
    }),
  );
});

test("an event that is too long loses its sentence and keeps its fields", () => {
  const long = "é".repeat(1_024);
  const message = syslogMessage(eventItem("EMAIL", { helo: long, sender: long, recipient: long, details: long }), "h");
  const json: unknown = JSON.parse(MESSAGE.exec(message)?.[6] ?? "");
  assert.ok(isObject(json));
  assert.equal(json["message"], "");
  assert.deepEqual(json["email"], { from: { address: "é".repeat(255) }, to: { address: "é".repeat(255) } });
  const halved = syslogMessage(eventItem("EMAIL", { sender: "🙂".repeat(512), details: long }), "h");
  assert.doesNotMatch(halved, /\\ud83d"/, "strict parsers refuse half a pair");
});
