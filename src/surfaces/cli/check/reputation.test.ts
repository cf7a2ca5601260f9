import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeOutgoing } from "./reputation.ts";

test("mail out: no way out at port 25 is wrong, and none over IPv4 a warning", () => {
  const greets = [{ host: "mx.example.net", says: "220 mx.example.net ESMTP" }];
  assert.equal(judgeOutgoing(greets).state, "ok");
  const overV6 = judgeOutgoing(greets, false);
  assert.equal(overV6.state, "warning");
  assert.match(overV6.saw, /no IPv4 address/);
  assert.equal(judgeOutgoing([{ host: "mx.example.net", says: new Error("refused") }], false).state, "wrong");
  assert.equal(judgeOutgoing([]).state, "unknown");
});
