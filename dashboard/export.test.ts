import assert from "node:assert/strict";
import { test } from "node:test";
import { eventItem } from "../test/kit/samples.ts";
import { csvOf } from "./export.ts";

const NOTHING = eventItem("LOGIN_FAILED", { id: 7, at: "2026-11-21T14:02:00.000Z", service: "imap", ip: "192.0.2.1" });

test("a file of events has a header line and a line for each event, and quotes fields that need it", () => {
  const [names, line, ...rest] = csvOf([{ ...NOTHING, details: 'said "no", twice' }]).split("\r\n");
  assert.match(names ?? "", /^id,at,type,service,ip,account,/);
  assert.equal(line, '7,2026-11-21T14:02:00.000Z,LOGIN_FAILED,imap,192.0.2.1,,,,,,,,,"said ""no"", twice"');
  assert.deepEqual(rest, [""]);
});

test("no spreadsheet takes a stranger's text for a formula", () => {
  for (const hostile of ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1"])
    assert.match(csvOf([{ ...NOTHING, account: hostile }]), /,"'[=+\-@\t]/);
});

test("nor does one that ends fields at a semicolon, a tab or a line end", () => {
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
