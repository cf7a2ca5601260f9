import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { keeperOnSocket } from "../../../test/kit/keeper-on-socket.ts";
import { patience } from "../../../test/kit/patience.ts";
import { BAN, JAIL_REPORT } from "../../../test/kit/samples.ts";
import { until } from "../../../test/kit/until.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { createBanMails, lookAtBans } from "./watch-bans.ts";

test("more bans in force than the setting are reported, not counting the owner's", () => {
  const notices = new NoticeBoard();
  let counts = { engine: 12, fail2ban: 8, manual: 90 };
  const figures = { banCounts: () => counts };
  const look = (engine: number): string | undefined => {
    counts = { ...counts, engine };
    lookAtBans(figures, 20, notices, new HandClock());
    return notices.raised.get("bans_in_force");
  };
  assert.equal(look(12), undefined);
  assert.match(look(13) ?? "", /^21 bans in force, more than 20$/);
  assert.equal(look(12), undefined);
});

/** Mails sent to a keeper through its real socket. */
async function mailing(...reply: Parameters<typeof keeperOnSocket>) {
  const { keeper, asked } = await keeperOnSocket(...reply);
  const warned: unknown[] = [];
  const clock = new HandClock();
  const log = { info: assert.fail, error: assert.fail, warn: (_says: string, data: unknown) => warned.push(data) };
  return { asked, warned, clock, send: createBanMails({ keeper, clock, log }) };
}

test("a ban is mailed with its jail, its number of failures and its length", async () => {
  const { asked, send } = await mailing();
  send(BAN, JAIL_REPORT);
  send({ ...BAN, expiresAt: null }, JAIL_REPORT);
  await until(() => asked.length === 2);
  const { jail, failures } = JAIL_REPORT;
  const mail = { verb: "mail_ban", prefix: BAN.prefix, jail, failures, lastsMs: 30 * MINUTE_MS, unsaid: 0 };
  assert.deepEqual(new Set<unknown>(asked), new Set([mail, { ...mail, lastsMs: null }]));
});

test("in a flood, thirty bans an hour are mailed, and the next mail has the number of skipped ones", async (t) => {
  const { asked, clock, send } = await mailing();
  for (let i = 0; i < 33; i++) send(BAN, JAIL_REPORT);
  await until(() => asked.length === 30);
  clock.advance(HOUR_MS);
  send(BAN, JAIL_REPORT);
  await t.waitFor(() => assert.partialDeepStrictEqual(asked.at(-1), { unsaid: 3 }), { timeout: patience(10_000) });
  send(BAN, JAIL_REPORT);
  await until(() => asked.length === 32);
  assert.partialDeepStrictEqual(asked.at(-1), { unsaid: 0 }, "told once");
});

test("a clock that was set back does not stop the mails", async () => {
  const { asked, clock, send } = await mailing();
  for (let i = 0; i < 30; i++) send(BAN, JAIL_REPORT);
  clock.advance(-2 * HOUR_MS);
  send(BAN, JAIL_REPORT);
  await until(() => asked.length === 31);
});

test("a mail that the keeper could not send is logged and counted in the next, and nothing is thrown", async (t) => {
  const { asked, warned, send } = await mailing({ ok: false, reason: "the queue is full" });
  send(BAN, JAIL_REPORT);
  await t.waitFor(() => assert.deepEqual(warned, [{ prefix: BAN.prefix, why: "the queue is full" }]), {
    timeout: patience(10_000),
  });
  send(BAN, JAIL_REPORT);
  await until(() => warned.length === 2);
  send(BAN, JAIL_REPORT);
  await until(() => asked.length === 3);
  const counts = asked.map((mail) => ("unsaid" in mail ? mail.unsaid : null));
  assert.deepEqual(counts, [0, 1, 2]);
});
