import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ip } from "../../../../test/kit/samples.ts";
import { net, START, scratch } from "../../../../test/kit/test-database.ts";
import { HOUR_MS, later } from "../../../core/time.ts";
import { openEngine } from "../open.ts";
import { AccountHolds } from "./account-holds.ts";
import { SqliteSendingHistory } from "./sending-history.ts";

const ANN = "ann@example.org";
const EVIDENCE = { count: 21, limit: 20, windowMs: HOUR_MS, key: "limits.sending.strangers" };
const HOLD = {
  type: "HOLD_ACCOUNT",
  account: ANN,
  prefix: net("203.0.113.66"),
  ip: ip("203.0.113.66"),
  evidence: EVIDENCE,
} as const;

function fresh(t: TestContext) {
  const db = openEngine(join(scratch(t), "engine.db"));
  t.after(() => db.close());
  return { holds: new AccountHolds(db), history: new SqliteSendingHistory(db) };
}

test("an account is held until its owner vouches for it, and may be held again", (t) => {
  const { holds } = fresh(t);
  assert.deepEqual(holds.of(ANN), { evidence: null, vouchedAt: 0 });
  holds.apply(HOLD, START);
  assert.deepEqual(holds.of(ANN), { evidence: EVIDENCE, vouchedAt: 0 });
  assert.equal(holds.of("bob@example.org").evidence, null);
  holds.apply({ type: "END_HOLD", account: ANN }, later(START, 5));
  assert.deepEqual(holds.of(ANN), { evidence: null, vouchedAt: later(START, 5) });
  holds.apply({ ...HOLD, evidence: { ...EVIDENCE, count: 30 } }, later(START, 9));
  assert.deepEqual(holds.of(ANN), { evidence: { ...EVIDENCE, count: 30 }, vouchedAt: later(START, 5) });
});

test("who is named by held mail has been written to once it is released, and the place is known", (t) => {
  const { holds, history } = fresh(t);
  holds.apply(HOLD, START);
  const mail = { type: "HOLD_MAIL", account: ANN, ip: HOLD.ip, recipientCount: 2 } as const;
  holds.apply({ ...mail, queueId: "A1", recipients: ["one@example.net", "two@example.net"] }, START);
  holds.apply({ ...mail, queueId: "A2", recipients: [] }, START);
  holds.apply({ ...mail, queueId: "A3", recipients: ["three@example.net"] }, START);
  holds.apply({ type: "FORGET_HELD", queueIds: ["A3"] }, START);
  assert.equal(history.hasWritten(ANN, "one@example.net"), false);
  assert.equal(history.knowsPlace(ANN, HOLD.prefix, START), false);
  holds.apply({ type: "END_HOLD", account: ANN }, later(START, 5));
  const wrote = ["one", "two", "three"].map((name) => history.hasWritten(ANN, `${name}@example.net`));
  assert.deepEqual(wrote, [true, true, false], "what was dropped was not written");
  assert.equal(history.knowsPlace(ANN, HOLD.prefix, START), true);
  assert.equal(history.knowsPlace("bob@example.org", HOLD.prefix, START), false);
});
