import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, HandClock, NoticeBoard, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { parsePrefix } from "../core/ip.ts";
import { MAIL, NOON, STRANGER } from "../core/samples.ts";
import { HOUR_MS, MINUTE_MS } from "../core/time.ts";
import { BITES_AFTER_MS, Lookout } from "./lookout.ts";

const LEAK = { code: "bans_leak", ip: STRANGER, service: "smtp", since: NOON } as const;

function lookout(isEnforcing = true) {
  const clock = new HandClock();
  const notices = new NoticeBoard();
  return { clock, notices, watch: new Lookout({ clock, notices, isEnforcing: () => isEnforcing }) };
}

test("a banned address that is seen although the firewall works is told, until it is seen no more", () => {
  const { clock, notices, watch } = lookout();
  watch.seen(LEAK);
  assert.match(notices.raised.get("bans_leak") ?? "", /203\.0\.113\.7, banned since .*, reached smtp/);
  clock.advance(9 * MINUTE_MS);
  watch.look();
  assert.equal(notices.raised.size, 1);
  clock.advance(MINUTE_MS);
  watch.look();
  assert.equal(notices.raised.size, 0);
});

test("without the firewall the servers see banned addresses as they must", () => {
  const { notices, watch } = lookout(false);
  watch.seen(LEAK);
  assert.equal(notices.raised.size, 0);
});

test("a clock that is set back takes a notice away rather than keeping it for ever", () => {
  const { clock, notices, watch } = lookout();
  watch.seen(LEAK);
  clock.advance(-2 * HOUR_MS);
  watch.look();
  assert.equal(notices.raised.size, 0);
});

test("the engine tells of a banned address once its ban should bite, and not of the dashboard's", async () => {
  const { engine, clock, committed } = engineOnMemory(TEST_POLICY);
  const prefix = parsePrefix(STRANGER) ?? assert.fail();
  await engine.ask({ type: "BAN_ASKED", prefix, note: "", durationMs: HOUR_MS, by: "root" });
  const sightings = () => committed.flatMap(({ sightings: all }) => all);
  const connect = () => engine.ask({ type: "CONNECT", ...MAIL });
  await connect();
  assert.deepEqual(sightings(), [], "it may have been on its way");
  clock.advance(BITES_AFTER_MS);
  const login = { ip: STRANGER, login: "admin", passwordHash: "", service: "dashboard" } as const;
  await engine.ask({ type: "LOGIN_ASKED", ...login });
  assert.deepEqual(sightings(), []);
  await connect();
  assert.deepEqual(
    sightings().map(({ code }) => code),
    ["bans_leak"],
  );
});
