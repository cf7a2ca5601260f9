import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { NO_NEEDS } from "../../../test/kit/no-needs.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import type { EnforcerStatus } from "../enforce/enforce.ts";
import { healthOf } from "./health.ts";

const ENFORCING: EnforcerStatus = { state: "enforcing", lastStep: 1, reason: null };
const UP = { up: true, pid: 7 };
const OK = { status: "ok" } as const;

let notices: NoticeBoard;
let reply: KeeperReply;
let firewall: EnforcerStatus;
beforeEachOf(import.meta.filename, () => {
  notices = new NoticeBoard();
  reply = { ok: true, detail: "", services: [] };
  firewall = ENFORCING;
});

function health() {
  const clock = new HandClock();
  const startedAt = clock.now();
  clock.advance(61_999);
  const keeper = { ask: () => Promise.resolve(reply) };
  return healthOf({ keeper, notices, clock, startedAt, firewall: () => firewall, events: () => 42, needs: NO_NEEDS });
}

test("the server is healthy while every part runs, and reports since when", async () => {
  const services = [
    { name: "guard", ...UP },
    { name: "keeper", ...UP },
    { name: "postfix", ...UP },
    { name: "spamd", up: true, pid: null },
  ];
  reply = { ok: true, detail: "", services };
  assert.deepEqual(await health(), {
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
    reply = { ok: true, detail: "", services: [{ name, ...service }] };
    const { status: reported, components } = await health();
    assert.equal(reported, overall);
    assert.deepEqual(components.at(-1), { name, status, detail });
  });

test("a keeper that does not answer degrades the server, and its answer ends the notice", async () => {
  notices.raise("keeper_unreachable", "no answer");
  await health();
  assert.equal(notices.raised.size, 0);
  reply = { ok: false, reason: "no answer" };
  notices.raise("keeper_unreachable", "no answer");
  const { status, components } = await health();
  assert.deepEqual([status, notices.raised.size], ["degraded", 1]);
  assert.deepEqual(components.at(-1), { name: "keeper", status: "down", detail: "no answer" });
});

test("a notice degrades the server, and the database's notice is shown with it", async () => {
  notices.raise("database_unwritable", "disk full");
  const { status, components } = await health();
  assert.equal(status, "degraded");
  assert.deepEqual(components[1], { name: "database", status: "degraded", detail: "disk full" });
  notices.clear("database_unwritable");
  notices.raise("database_unflushed", "EIO");
  assert.deepEqual((await health()).components[1]?.detail, "EIO");
  notices.clear("database_unflushed");
  notices.raise("dnsbl_set_aside", "zen");
  assert.deepEqual((await health()).components[1]?.detail, "42 events");
  assert.equal((await health()).status, "degraded");
});

test("a full disk is one notice", async () => {
  for (const code of ["disk_filling", "disk_low"] as const) notices.raise(code, "1 % left");
  const codes = async () => (await health()).notices.map(({ code }) => code);
  assert.deepEqual(await codes(), ["disk_filling", "disk_low"]);
  for (const code of ["disk_full", "database_unwritable"] as const) notices.raise(code, "no space left");
  assert.deepEqual(await codes(), ["disk_full"]);
});

test("a firewall is healthy if it holds the bans or is not wanted, and degraded with its reason otherwise", async () => {
  const of = async (state: EnforcerStatus["state"], reason: string | null) => {
    firewall = { ...ENFORCING, state, reason };
    const { status, components } = await health();
    return [status, components[2]?.detail];
  };
  assert.deepEqual(await of("off", null), ["ok", "off: firewall.enabled = false"]);
  assert.deepEqual(await of("unavailable", "no nft"), ["degraded", "no nft"]);
  assert.deepEqual(await of("starting", null), ["degraded", "starting"]);
});
