import assert from "node:assert/strict";
import { test } from "node:test";
import { accountsFor, START } from "../../../test/kit/test-database.ts";
import { SESSION_AGE_MS, SESSION_AHEAD_MS, SESSION_IDLE_MS } from "../../core/access/session.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { parseIp } from "../../core/net/ip.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { SqliteSessions, sessionPages } from "./sessions.ts";

const ANNA = parseAccountName("anna@example.org") ?? assert.fail();
const BERT = parseAccountName("bert@example.org") ?? assert.fail();
const IP = parseIp("203.0.113.7") ?? assert.fail();

test("all sessions are listed page by page: the administrator's first, then the latest use, and none that has ended", (t) => {
  const db = accountsFor(t);
  const sessions = new SqliteSessions(db);
  const signedIn = sessionPages(db);
  const open = (id: string, minute: number, account: typeof ANNA | null = null): void =>
    sessions.open({ digest: id, id, account, device: "Firefox", ip: IP, at: later(START, minute * MINUTE_MS) });
  open("owner 1", 0);
  open("anna 1", 1, ANNA);
  open("bert", 2, BERT);
  open("anna 2", 3, ANNA);
  open("owner 2", 4);
  const now = later(START, 5 * MINUTE_MS);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = signedIn({ limit: 2, cursor }, now);
    assert.equal(page.total, 5);
    seen.push(...page.items.map(({ id, account }) => `${id} of ${account ?? "the administrator"}`));
    cursor = page.next;
  } while (cursor !== null);
  assert.deepEqual(seen, [
    "owner 2 of the administrator",
    "owner 1 of the administrator",
    "anna 2 of anna@example.org",
    "bert of bert@example.org",
    "anna 1 of anna@example.org",
  ]);
  assert.deepEqual(signedIn({ limit: 9, cursor: "no cursor of ours" }, now).items, []);
  for (const [ms, left] of [
    [SESSION_IDLE_MS, 4],
    [SESSION_IDLE_MS + 4 * MINUTE_MS, 0],
    [SESSION_AGE_MS, 0],
    [-SESSION_AHEAD_MS, 1],
  ] as const) {
    const { items, total } = signedIn({ limit: 9, cursor: null }, later(START, ms));
    assert.deepEqual([items.length, total], [left, left]);
    const listed = [null, ANNA, BERT].flatMap((account) => sessions.list(account, later(START, ms)));
    assert.equal(listed.length, left, "as each list says");
  }
});
