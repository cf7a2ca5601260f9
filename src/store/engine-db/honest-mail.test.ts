import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { engineDatabase, START } from "../../../test/kit/test-database.ts";
import type { Credit } from "../../core/decide/honest-mail.ts";
import { DAY_MS, later } from "../../core/time.ts";
import { sqliteHonestMail } from "./honest-mail.ts";

test("good mail is counted by server and day, and read by server and by network", (t) => {
  const { db, store, committed } = engineDatabase(t);
  const honest = sqliteHonestMail(db);
  const network = net("203.0.113.0/24");
  const credit = (prefix: string, mail: Credit, day: number): void =>
    committed(() => store.apply({ type: "CREDIT", prefix: net(prefix), network, mail }, later(START, day * DAY_MS)));
  credit("203.0.113.1", "accepted", 0);
  credit("203.0.113.1", "proven", 0);
  credit("203.0.113.1", "proven", 0);
  credit("203.0.113.1", "wanted", 2);
  credit("203.0.113.2", "written", 2);
  const first = { prefix: net("203.0.113.1"), accepted: 4, proven: 3, wanted: 1, written: 0, provenDays: 2 };
  const second = { prefix: net("203.0.113.2"), accepted: 0, proven: 0, wanted: 0, written: 1, provenDays: 0 };
  assert.deepEqual(honest.servers(network, START, 9), [first, second]);
  assert.deepEqual(honest.servers(network, START, 1), [first]);
  assert.deepEqual(honest.server(net("203.0.113.2"), network, START), second);
  const lately = { ...first, accepted: 1, proven: 1, provenDays: 1 };
  assert.deepEqual(honest.server(net("203.0.113.1"), network, later(START, DAY_MS)), lately);
  assert.equal(honest.server(net("203.0.113.1"), network, later(START, 3 * DAY_MS)), null);
  assert.deepEqual(honest.servers(net("198.51.100.0/24"), START, 9), []);
});
