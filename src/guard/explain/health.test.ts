import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { NO_NEEDS } from "../../../test/kit/no-needs.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import type { KeeperNotice, NoticeCode } from "../../core/alerts/notices.ts";
import type { EnforcerStatus } from "../enforce/enforce.ts";
import { healthOf, withoutGuard } from "./health.ts";

const ENFORCING: EnforcerStatus = { state: "enforcing", lastStep: 1, reason: null };
const NOW = new HandClock().now() + 61_999;
const UP = { up: true, pid: 7 };
const OK = { status: "ok" } as const;

type Services = Extract<KeeperReply, { ok: true }>["services"];
const answers = (services: Services = []): KeeperReply => ({ ok: true, detail: "", services });

function health({
  reply = answers(),
  firewall = ENFORCING,
  notices = new NoticeBoard(),
  keeperSeen = { at: NOW },
} = {}) {
  const clock = new HandClock();
  const startedAt = clock.now();
  clock.advance(NOW - startedAt);
  const keeper = { ask: () => Promise.resolve(reply) };
  const state = { startedAt, keeperSeen, firewall: () => firewall, events: () => 42 };
  return healthOf({ keeper, notices, clock, ...state, needs: NO_NEEDS });
}

test("the server is healthy while every part runs, and reports since when", async () => {
  const services = ["guard", "keeper", "postfix"].map((name) => ({ name, ...UP }));
  assert.deepEqual(await health({ reply: answers([...services, { name: "spamd", up: true, pid: null }]) }), {
    status: "ok",
    headline: "well",
    components: [
      { name: "guard", ...OK, detail: "deciding" },
      { name: "database", ...OK, detail: "42 events" },
      { name: "firewall", ...OK, detail: "bans are in the kernel" },
      { name: "keeper", ...OK, detail: "answering" },
      { name: "postfix", ...OK, detail: "running, pid 7" },
      { name: "spamd", ...OK, detail: "running" },
    ],
    notices: [],
    needsYou: [],
    uptimeSeconds: 61,
  });
});

const GONE = { up: false, pid: null };
const silent = (isBeyondHelp: boolean) => ({ ...UP, silence: { says: "no answer", isBeyondHelp } });
for (const [what, name, service, overall, status, detail] of [
  ["without Postfix", "postfix", GONE, "down", "down", "not running"],
  ["without Dovecot", "dovecot", GONE, "down", "down", "not running"],
  ["without spamd", "spamd", GONE, "degraded", "down", "not running"],
  ["while a service keeps exiting", "postgrey", { ...UP, trouble: "it exits" }, "degraded", "down", "it exits"],
  ["while Postfix runs without working", "postfix", silent(false), "degraded", "degraded", "no answer"],
  ["while no restart helps Postfix", "postfix", silent(true), "down", "down", "no answer"],
] as const)
  test(`${what} the server is ${overall}`, async () => {
    const { status: reported, components } = await health({ reply: answers([{ name, ...service }]) });
    assert.equal(reported, overall);
    assert.deepEqual(components.at(-1), { name, status, detail });
  });

test("without the guard, mail flows only if the keeper finds Postfix and Dovecot working", () => {
  const services = ["postfix", "dovecot", "spamd"].map((name) => ({ name, ...UP }));
  assert.deepEqual(withoutGuard(answers(services)), { mailFlows: true, failing: [] });
  assert.equal(withoutGuard(answers(services.slice(1))).mailFlows, false);
  const notWorking = answers([
    { name: "spamd", ...GONE },
    { name: "postfix", ...silent(false) },
    ...services.slice(1, 2),
  ]);
  const failing = ["spamd: not running", "postfix: no answer"];
  assert.deepEqual(withoutGuard(notWorking), { mailFlows: false, failing });
  const reporting = (...codes: readonly KeeperNotice[]) =>
    withoutGuard({ ok: true, detail: "", services, troubles: codes.map((code) => ({ code, detail: "1 h" })) });
  assert.deepEqual(reporting("disk_filling", "service_unstable"), { mailFlows: true, failing: [] });
  for (const code of ["database_locked", "relay_refuses"] as const)
    assert.deepEqual(reporting(code), { mailFlows: true, failing: [`${code}: 1 h`] });
  for (const code of ["isolated", "certificate_expired", "settings_unread", "disk_low"] as const)
    assert.deepEqual(reporting(code), { mailFlows: false, failing: [`${code}: 1 h`] });
  const detail = `${"pid 7 has locked engine.db; ".repeat(20)}Try: kill 7`;
  const locked = withoutGuard({ ok: true, detail: "", services, troubles: [{ code: "database_locked", detail }] });
  assert.match(locked.failing.join(), /Try: kill 7$/);
  assert.deepEqual(withoutGuard({ ok: false, reason: "no answer" }), {
    mailFlows: false,
    failing: ["keeper: no answer"],
  });
});

test("a notice shows the newest 20 of what it is about", async () => {
  const notices = new NoticeBoard();
  const all = Array.from({ length: 21 }, (_, i) => `check.${i}`);
  notices.set("check_failed", "", all);
  assert.deepEqual((await health({ notices })).notices[0]?.about, all.slice(1));
});

test("a keeper that does not answer degrades the server", async () => {
  const { status, components } = await health({ reply: { ok: false, reason: "no answer" } });
  assert.equal(status, "degraded");
  assert.deepEqual(components.at(-1), { name: "keeper", status: "down", detail: "no answer" });
});

test("after two minutes without an answer from the keeper the server is down, until it answers", async () => {
  const reply: KeeperReply = { ok: false, reason: "no answer" };
  assert.equal((await health({ reply, keeperSeen: { at: NOW - 119_999 } })).status, "degraded");
  const keeperSeen = { at: NOW - 120_000 };
  assert.equal((await health({ reply, keeperSeen })).status, "down");
  assert.equal((await health({ keeperSeen })).status, "ok");
  assert.equal((await health({ reply, keeperSeen })).status, "degraded", "it has answered since");
  keeperSeen.at = NOW + 3_600_000;
  await health({ reply, keeperSeen });
  assert.equal(keeperSeen.at, NOW, "the two minutes begin once the clock was set back");
});

test("a notice degrades the server, and the database's notice is shown with it", async () => {
  const shown = async (code: NoticeCode, detail: string) => {
    const notices = new NoticeBoard();
    notices.set(code, detail);
    const { status, components } = await health({ notices });
    return [status, components[1]?.status, components[1]?.detail];
  };
  assert.deepEqual(await shown("database_unwritable", "disk full"), ["degraded", "degraded", "disk full"]);
  assert.deepEqual(await shown("database_unflushed", "EIO"), ["degraded", "degraded", "EIO"]);
  assert.deepEqual(await shown("dnsbl_set_aside", "zen"), ["degraded", "ok", "42 events"]);
});

test("a full disk is one notice", async () => {
  const notices = new NoticeBoard();
  for (const code of ["disk_filling", "disk_low"] as const) notices.set(code, "1 % left");
  const codes = async () => (await health({ notices })).notices.map(({ code }) => code);
  assert.deepEqual(await codes(), ["disk_filling", "disk_low"]);
  for (const code of ["disk_full", "disk_nearly_full", "database_unwritable"] as const)
    notices.set(code, "no space left");
  assert.deepEqual(await codes(), ["disk_full"]);
});

test("a firewall is healthy if it holds the bans or is not wanted, and degraded with its reason otherwise", async () => {
  const of = async (state: EnforcerStatus["state"], reason: string | null) => {
    const { status, components } = await health({ firewall: { ...ENFORCING, state, reason } });
    return [status, components[2]?.detail];
  };
  assert.deepEqual(await of("off", null), ["ok", "off: firewall.enabled = false"]);
  assert.deepEqual(await of("unavailable", "no nft"), ["degraded", "no nft"]);
  assert.deepEqual(await of("starting", null), ["degraded", "starting"]);
});
