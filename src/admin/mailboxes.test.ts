import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../test/kit/any-character.ts";
import { verbs } from "./declare/control.ts";
import { readFields } from "./declare/fields.ts";
import { type MailboxSettings, SETTING_ENDS, VACATION_LIMITS } from "./mailboxes.ts";

const ANNA = "anna@example.org";
const NONE: MailboxSettings = { appPasswords: [], forwarding: null, vacation: null };
const SET: MailboxSettings = {
  appPasswords: [{ name: "phone", madeBy: "root", madeAt: "2026-11-01T00:00:00Z", usedAt: null }],
  forwarding: { to: ["eve@evil.example"], keep: false },
  vacation: { subject: "", text: "Write to eve@evil.example.", until: "2026-11-02T00:00:00Z" },
};

test("each setting that a thief may have made is ended by a valid command, and named afterwards", () => {
  for (const { isSet, command: ends, did } of SETTING_ENDS) {
    assert.deepEqual([isSet(NONE), isSet(SET)], [false, true]);
    const command = ends(ANNA);
    assert.ok(verbs.get(command.verb)?.schema().safeParse(command).success, command.verb);
    assert.match(did(ANNA, SET), /eve@evil\.example/);
  }
});

/** The parsed fields, or what is wrong with one. */
function replyOf(fields: Readonly<{ subject?: string; text?: string }>) {
  const schema = verbs.get("vacation_set")?.schema() ?? assert.fail();
  const read = readFields(schema, { verb: "vacation_set", name: ANNA, text: "I am in Rome.", ...fields });
  if (!read.ok) return read.problem;
  assert.ok(read.value.verb === "vacation_set" && read.value.text !== null);
  return { subject: read.value.subject, text: read.value.text };
}

test("a vacation reply has a text of lines, and may have a subject", () => {
  const read = replyOf({ subject: " Away ", text: "\r\nLine 1\r\n\tLine 2 ü\n" });
  assert.deepEqual(read, { subject: "Away", text: "Line 1\n\tLine 2 ü" });
  assert.deepEqual(replyOf({}), { subject: "", text: "I am in Rome." });
  const subject = "x".repeat(VACATION_LIMITS.subject);
  const longest = { subject, text: "xxxx\n".repeat(VACATION_LIMITS.text / 4).trim() };
  assert.deepEqual(replyOf({ subject: ` ${longest.subject} `, text: `\n${longest.text}\r\n` }), longest);
});

test("a vacation reply that is empty, too long or no text is refused", () => {
  const refusal = (fields: Parameters<typeof replyOf>[0]) => {
    const read = replyOf(fields);
    return typeof read === "string" ? read : "";
  };
  for (const text of ["", " \n ", "x".repeat(VACATION_LIMITS.text + 1), "a\0b", "a\rb", "a\ud800b"])
    assert.match(refusal({ text }), /^The field "text" is not a text of 1 to 4000 characters/);
  for (const subject of ["x".repeat(VACATION_LIMITS.subject + 1), "a\nBcc: all@example.org", "a\tb", "a\ud800b"])
    assert.match(refusal({ subject }), /^The field "subject" is not one line of at most 200 characters/);
});

test("any vacation reply parses without an exception and keeps no control characters except line breaks and tabs", () => {
  const any = fc.string({ unit: ANY_CHARACTER });
  fc.assert(
    fc.property(any, any, (subject, text) => {
      const read = replyOf({ subject, text });
      if (typeof read !== "string")
        assert.doesNotMatch(read.subject + read.text.replace(/[\n\t]/g, ""), /[\p{Cc}\p{Cs}]/u);
    }),
  );
});

test("no line of a vacation reply exceeds SMTP's limit, and parsing it again changes nothing", () => {
  const part = fc.constantFrom("ü", "日", "😀", "\u2028", "word", " ", "  ", "\n", "x".repeat(240));
  fc.assert(
    fc.property(fc.array(part, { size: "large" }), fc.constantFrom("", "😀".repeat(600)), (parts, long) => {
      const read = replyOf({ text: parts.join("") + long });
      if (typeof read === "string") return;
      for (const line of read.text.split("\n")) assert.ok(Buffer.byteLength(line) <= 998, line);
      assert.deepEqual(replyOf(read), read);
    }),
  );
  const paragraph = "word ".repeat(199).trim();
  assert.deepEqual(replyOf({ text: paragraph }), { subject: "", text: paragraph });
  assert.deepEqual(replyOf({ text: `${"ü".repeat(600)} a` }), {
    subject: "",
    text: [240, 240, 120].map((n) => "ü".repeat(n)).join("\n") + "\na",
  });
});
