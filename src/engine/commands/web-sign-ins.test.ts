import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { BY, webGateOnMemory } from "../../../test/kit/web-gate-kit.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import { ban } from "./bans.ts";
import { WEB_LIMITS } from "./web-bounds.ts";

describe("sign-ins that the web reports", () => {
  let kit: ReturnType<typeof webGateOnMemory>;
  beforeEach(() => {
    kit = webGateOnMemory();
  });

  test("sign-ins that it makes up ban a bounded number of addresses, and none that names an account", async () => {
    const report = async (ip: string, n: number): Promise<Reply> => {
      const command = { verb: "dashboard_login", ip, passwordHash: `${n}`, success: false } as const;
      return (await kit.ask(command)) ?? kit.gate.login(command);
    };
    for (let host = 0; host < 2 * WEB_LIMITS.bannedSignIns; host++) {
      kit.clock.advance(1_000);
      for (let n = 0; n < 5; n++) assert.ok((await report(`198.51.${host}.1`, n)).ok);
    }
    assert.equal(kit.count("BAN"), WEB_LIMITS.bannedSignIns);
    assert.equal(kit.count("LOGIN_FAILED"), 10 * WEB_LIMITS.bannedSignIns, "each is recorded");
    assert.deepEqual(kit.refused(), [], "strangers alone can do this: it is no break-in");
    const verdictOf = async (ip: string): Promise<unknown> => {
      const reply = await kit.gate.login({ verb: "dashboard_ask", ip });
      return reply.ok && "verdict" in reply.result ? reply.result.verdict : reply;
    };
    const last = `198.51.${2 * WEB_LIMITS.bannedSignIns - 1}.1`;
    assert.equal(await verdictOf(last), "refuse", "refused as if it were banned");
    assert.equal(await verdictOf("203.0.113.1"), "pass", "others are not");
    kit.clock.advance(10 * MINUTE_MS);
    assert.equal(await verdictOf(last), "pass");
    const success = { verb: "dashboard_login", ip: "203.0.113.1", passwordHash: "x", success: true } as const;
    assert.equal(await kit.ask(success), null, "the administrator still gets in");
    await kit.gate.login(success);
    assert.deepEqual(kit.accounts(), ["admin"]);
  });

  test("past that bound no network is banned for guesses of its addresses either", async () => {
    for (let i = 0; i < WEB_LIMITS.bannedSignIns * 5; i++) {
      const ip = `198.51.${Math.floor(i / 5)}.1`;
      await kit.gate.login({ verb: "dashboard_login", ip, passwordHash: `${i}`, success: false });
    }
    for (let i = 0; i < 250; i++) {
      await kit.gate.login({ verb: "dashboard_login", ip: `203.0.113.${i}`, passwordHash: `x${i}`, success: false });
    }
    assert.equal(kit.count("BAN"), WEB_LIMITS.bannedSignIns);
  });

  test("no more addresses are spared as an administrator's than people work from", async () => {
    const seen = async (i: number): Promise<Reply> => {
      const command = { verb: "admin_seen", ip: `198.51.100.${i}` } as const;
      return (await kit.ask(command)) ?? kit.gate.seen(command.ip);
    };
    for (let i = 0; i < WEB_LIMITS.administrators; i++) assert.ok((await seen(i)).ok);
    assert.ok((await seen(0)).ok, "one of them comes back");
    assert.ok(!(await seen(200)).ok);
    assert.ok(await isSpared("198.51.100.0"));
    assert.ok(!(await isSpared("198.51.100.200")));
    kit.clock.advance(31 * MINUTE_MS);
    assert.ok((await seen(200)).ok);
    assert.ok(await isSpared("198.51.100.200"));
  });

  async function isSpared(target: string): Promise<boolean> {
    return !(await ban(kit, { verb: "ban", target, note: "", for: null }, "root")).ok;
  }

  test("an address that asks without end uses up only its own share, without an alert about a break-in", async () => {
    const verdict = async (ip: string): Promise<unknown> => {
      const command = { verb: "dashboard_ask", ip } as const;
      const reply = (await kit.ask(command)) ?? (await kit.gate.login(command));
      return reply.ok && "verdict" in reply.result ? reply.result.verdict : reply;
    };
    for (let i = 0; i < 300; i++) assert.equal(await verdict("2001:db8::1"), "pass");
    for (let i = 0; i < 3_000; i++) assert.equal(await verdict(`2001:db8::${(i % 9) + 1}`), "refuse");
    assert.equal(await verdict("203.0.113.7"), "pass");
    assert.deepEqual(kit.refused(), []);
    kit.clock.advance(MINUTE_MS - 1);
    assert.equal(await verdict("2001:db8::1"), "refuse");
    kit.clock.advance(1);
    assert.equal(await verdict("2001:db8::1"), "pass");
    kit.clock.advance(-HOUR_MS);
    assert.equal(await verdict("2001:db8::1"), "pass");
  });

  test("three thousand sign-ins succeed a minute, however many fail", async () => {
    const report: Command = { verb: "dashboard_login", ip: "203.0.113.7", passwordHash: "x", success: true };
    const refuses = (command: Command) => kit.gate.refuses({ command, by: BY }, "web") !== null;
    for (let i = 0; i < 6_000; i++) assert.ok(!refuses({ ...report, success: false }));
    for (let i = 0; i < 3_000; i++) assert.ok(!refuses(report));
    assert.ok(refuses(report));
    kit.clock.advance(MINUTE_MS);
    assert.ok(!refuses(report));
    await kit.ask(report);
  });

  test("an address unused for half an hour makes room for another", () => {
    const seen = (i: number) =>
      kit.gate.refuses({ command: { verb: "admin_seen", ip: `198.51.100.${i}` }, by: BY }, "web");
    for (let i = 0; i < 32; i++) assert.equal(seen(i), null);
    kit.clock.advance(30 * MINUTE_MS - 1);
    assert.notEqual(seen(200), null);
    kit.clock.advance(1);
    assert.equal(seen(200), null);
  });

  test("no address, no report", async () => {
    assert.ok(!(await kit.gate.login({ verb: "dashboard_ask", ip: "nowhere" })).ok);
    assert.ok(!kit.gate.seen("nowhere").ok);
  });
});
