import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { SpamdLog } from "./content-filter-log.ts";

const STAMP = "2026-11-20_08:08:30.92822";
const result = (fields: string): string =>
  `${STAMP} [11884] info: spamd: result: ${fields},rhost=localhost,raddr=127.0.0.1,rport=/srv/socket,mid=<a@b.example>,autolearn=no autolearn_force=no`;

test("a mail's two lines make one observation with the exact score", () => {
  const log = new SpamdLog();
  const identified = `${STAMP} [11884] info: spamd: identified spam (5.9/5.0) for anna@example.org:111 in 0.1 seconds, 154 bytes.`;
  assert.equal(log.read(identified), null);
  const line = result(
    "Y 5 - GTUBE,MISSING_DATE scantime=0.1,size=154,user=anna@example.org,uid=111,required_score=5.0",
  );
  assert.deepEqual(log.read(line), {
    type: "SPAM_SCORED",
    score: 5.9,
    required: 5,
    messageId: "<a@b.example>",
    recipient: "anna@example.org",
  });
  assert.deepEqual(log.read(line), { ...log.read(line), score: 5 }, "the exact score belongs to one mail only");
});

test("clean mail, negative scores, no test that hit, several recipients", () => {
  const log = new SpamdLog();
  const seen = log.read(result(". -2 -  scantime=0.0,size=683,user=nobody,uid=111,required_score=5.0"));
  assert.deepEqual(seen, { type: "SPAM_SCORED", score: -2, required: 5, messageId: "<a@b.example>", recipient: null });
});

test("other lines are nothing, nor is a Message-ID that pretends to be one", () => {
  const log = new SpamdLog();
  for (const line of [
    "",
    `${STAMP} [1] info: prefork: child states: I`,
    `${STAMP} [1] info: spamd: processing message <x spamd: result: Y 99 - A scantime=1> for a@b.c:1`,
    `${STAMP} [1] warn: spamd: result: Y 5 - A scantime=0.1,size=1,user=a,uid=1,required_score=5.0,x=,mid=<a>,autolearn=no`,
  ])
    assert.equal(log.read(line), null, line);
});

test("no line whatsoever makes it throw", () => {
  const words = fc.constantFrom(
    "spamd: result: ",
    "milter-reject: ",
    "mid=",
    "[1]",
    " info: ",
    ",",
    "<",
    ">",
    ";",
    "\0",
    "9".repeat(400),
  );
  const lines = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
    fc.array(words, { maxLength: 2_000 }).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(lines, (text) => {
      const seen = new SpamdLog().read(text);
      assert.ok(seen === null || typeof seen === "object");
    }),
    { seed: 20_261_120, numRuns: 300 },
  );
});
