import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, net } from "../../../test/kit/samples.ts";
import { engineFor, START } from "../../../test/kit/test-database.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { HOUR_MS, isoTime, later } from "../../core/time.ts";
import { AccountHolds, SqliteHeldMail } from "./held-mail.ts";

test("held accounts and mails, newest first; released and dropped ones are gone", (t) => {
  const db = engineFor(t);
  const [holds, held] = [new AccountHolds(db), new SqliteHeldMail(db)];
  const evidence = { count: 21, limit: 20, windowMs: HOUR_MS, key: "limits.sending.strangers" };
  for (const [i, account] of ["ann@example.org", "bob@example.org"].entries()) {
    const from = { prefix: net("203.0.113.66"), ip: ip("203.0.113.66") };
    holds.apply({ type: "HOLD_ACCOUNT", account, ...from, evidence }, later(START, i));
    const mail = { type: "HOLD_MAIL", account, ip: from.ip, recipientCount: 7, queueId: `A${i}` } as const;
    const recipients = Array.from({ length: 7 }, (_, n) => `${n}@example.net`);
    holds.apply({ ...mail, recipients }, later(START, i));
  }
  assert.deepEqual(
    held.accounts().map(({ account, at }) => [account, at]),
    [
      ["bob@example.org", isoTime(later(START, 1))],
      ["ann@example.org", isoTime(START)],
    ],
  );
  assert.deepEqual(
    held.held(null).map(({ queueId, recipients }) => [queueId, recipients.length]),
    [
      ["A1", 5],
      ["A0", 5],
    ],
  );
  assert.deepEqual(
    held.held(parseAccountName("ann@example.org")).map(({ queueId }) => queueId),
    ["A0"],
  );
  assert.deepEqual(held.noted("", later(START, 2), 9), ["A0", "A1"]);
  assert.deepEqual(held.noted("", later(START, 1), 9), ["A0"], "not yet those of just now");
  assert.deepEqual(held.noted("A0", later(START, 2), 9), ["A1"]);
  assert.deepEqual(held.noted("", later(START, 2), 1), ["A0"]);
  holds.apply({ type: "END_HOLD", account: "bob@example.org" }, later(START, 9));
  holds.apply({ type: "FORGET_HELD", queueIds: ["A1"] }, later(START, 9));
  assert.deepEqual([held.accounts().length, held.held(null).length], [1, 1]);
});
