import assert from "node:assert/strict";
import { test } from "node:test";
import { eventItem } from "../test/kit/samples.ts";
import { csvOf } from "./export.ts";

const NOTHING = eventItem("LOGIN_FAILED", { id: 7, at: "2026-11-21T14:02:00.000Z", service: "imap", ip: "192.0.2.1" });

test("a file of events has a line of names, a line for each, and quotes what needs it", () => {
  const [names, line, ...rest] = csvOf([{ ...NOTHING, details: 'said "no", twice' }]).split("\r\n");
  assert.match(names ?? "", /^id,at,type,service,ip,account,/);
  assert.equal(line, '7,2026-11-21T14:02:00.000Z,LOGIN_FAILED,imap,192.0.2.1,,,,,,,,,"said ""no"", twice"');
  assert.deepEqual(rest, [""]);
});

test("no spreadsheet takes what a stranger sent for a formula", () => {
  for (const hostile of ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1"])
    assert.match(csvOf([{ ...NOTHING, account: hostile }]), /,"'[=+\-@\t]/);
});

test("nor one that takes a semicolon, a tab or a line for the end of a field", () => {
  const cases = {
    "x;=1+1;": `"x;'=1+1;"`,
    'x;"=1+1': `"x;'""=1+1"`,
    "x; \t-1": `"x;' \t'-1"`,
    "x\n@SUM(A1)": `"x\n'@SUM(A1)"`,
    "＝1": `"'＝1"`,
    "a;b-c": `"a;b-c"`,
    "a-b@c": "a-b@c",
  };
  for (const [helo, shown] of Object.entries(cases))
    assert.ok(csvOf([{ ...NOTHING, helo }]).includes(`,${shown},`), csvOf([{ ...NOTHING, helo }]));
});
