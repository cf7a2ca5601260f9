import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../../test/kit/until.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { createBannedSessions } from "./banned-sessions.ts";

const GUEST = "198.51.100.7";
const BANNED = ["203.0.113.7", "2001:db8::7"];

/** A Dovecot with open sessions, and a keeper that ends them. */
function kit() {
  const open = new Set([GUEST, ...BANNED]);
  const banned = new Set(BANNED);
  const warned: string[] = [];
  let [asked, ended] = [0, 0];
  let fault: (() => KeeperReply) | null = null;
  const sessions = createBannedSessions({
    isBanned: (client) => banned.has(client),
    keeper: {
      ask: async (command) => {
        if (command.verb === "imap_clients") {
          asked += 1;
          return { ok: true, detail: "", clients: [...open] };
        }
        assert.ok(command.verb === "end_imap");
        if (fault !== null) return fault();
        ended += 1;
        for (const client of command.clients) open.delete(client);
        return { ok: true, detail: "" };
      },
    },
    pauseMs: 1,
    log: { info: assert.fail, warn: (message) => warned.push(message), error: assert.fail },
  });
  const failWith = (next: typeof fault) => void (fault = next);
  return { sessions, open, banned, warned, failWith, counts: () => ({ asked, ended }) };
}

test("a burst of bans is handled together, the last one too", async () => {
  const { sessions, open, banned, counts } = kit();
  for (let n = 0; n < 1_000; n++) sessions.look();
  banned.add(GUEST);
  sessions.look();
  await until(() => open.size === 0);
  await until(() => counts().asked === 2);
  assert.deepEqual(counts(), { asked: 2, ended: 1 });
});

test("ends the sessions of banned addresses, and no others; one that opens after the ban ends at the next check", async () => {
  const { sessions, open, counts } = kit();
  sessions.look();
  await until(() => counts().ended === 1);
  assert.deepEqual([...open], [GUEST]);
  open.add("203.0.113.7");
  sessions.look();
  await until(() => open.size === 1);
});

for (const [what, fault] of [
  ["refuses", (): KeeperReply => ({ ok: false, reason: "doveadm failed" })],
  ["throws", (): never => assert.fail("no keeper")],
] as const)
  test(`if the keeper ${what}, that is logged once and the next check tries again`, async () => {
    const { sessions, open, warned, failWith, counts } = kit();
    failWith(fault);
    for (let look = 1; look <= 3; look++) {
      sessions.look();
      await until(() => counts().asked === look);
    }
    failWith(null);
    sessions.look();
    await until(() => open.size === 1);
    assert.equal(warned.length, 1);
  });
