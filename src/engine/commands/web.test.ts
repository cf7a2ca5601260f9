import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { COMMANDS } from "../../../test/kit/commands.ts";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import { mayAsk } from "../../wire/control/rights.ts";
import { allowAdd, ban } from "./bans.ts";
import { CommandGate } from "./web.ts";
import { WEB_LIMITS } from "./web-bounds.ts";

const BY = "web:admin via 203.0.113.9";

describe("what the web asks", () => {
  let kit: ReturnType<typeof setUp>;
  beforeEach(() => {
    kit = setUp();
  });

  test("every verb that is not the web's is refused, recorded by name and actor, and told", async () => {
    const foreign = Object.values(COMMANDS).filter(({ verb }) => !mayAsk("web", verb));
    assert.ok(foreign.length > 20);
    for (const command of foreign) {
      const reply = await kit.ask(command);
      assert.ok(reply !== null && !reply.ok, command.verb);
      assert.match(reply.message, /may not be given from here/);
    }
    assert.deepEqual(
      kit.refused(),
      foreign.map(({ verb }) => `${verb} by ${BY}`),
    );
  });

  test("a flood of them fills no record", async () => {
    for (let i = 0; i < 200; i++) await kit.ask(COMMANDS.admin_passwd);
    await kit.ask(COMMANDS.break_glass);
    assert.equal(kit.refused().length, 2);
    kit.clock.advance(MINUTE_MS);
    await kit.ask(COMMANDS.admin_passwd);
    assert.equal(kit.refused().length, 3);
  });

  test("no wide network is banned or allowed; that is a mistake, no break-in", async () => {
    for (const target of ["0.0.0.0/1", "198.51.0.0/15", "203.0.112.0/23", "2001:db8::/32", "2001:db8:1::/47"]) {
      for (const verb of ["ban", "allow_add"] as const) {
        const reply = await kit.ask({ verb, target, note: "", for: null });
        assert.ok(reply !== null && !reply.ok && reply.kind === "usage", `${verb} ${target}`);
      }
    }
    assert.equal(await kit.ask({ verb: "ban", target: "203.0.113.0/24", note: "", for: null }), null);
    assert.equal(await kit.ask({ verb: "allow_add", target: "2001:db8:2::/48", note: "", for: null }), null);
    assert.deepEqual(kit.refused(), []);
  });

  test("its share of the allow list is bounded, and what root put there is not counted", async () => {
    const add = async (i: number, by: string): Promise<Reply | null> => {
      const command = { verb: "allow_add", target: `198.51.100.${i}`, note: "", for: null } as const;
      const refused = by === "root" ? null : await kit.ask(command);
      return refused ?? allowAdd(kit, command, by);
    };
    for (let i = 0; i < 60; i++) assert.ok((await add(200 - i, "root"))?.ok);
    for (let i = 0; i < WEB_LIMITS.allowed; i++) assert.ok((await add(i, BY))?.ok);
    const more = await add(WEB_LIMITS.allowed, BY);
    assert.ok(more !== null && !more.ok);
    assert.match(more.message, /50 entries/);
    assert.ok((await add(0, BY))?.ok, "one that is there already may be changed");
    assert.deepEqual(kit.refused(), []);
  });

  test("changes are bounded within any hour; beyond that it is told", async () => {
    const unban: Command = { verb: "unban", target: "203.0.113.7" };
    for (let i = 0; i < WEB_LIMITS.changes; i++) assert.equal(await kit.ask(unban), null);
    assert.ok((await kit.ask(unban))?.ok === false);
    assert.deepEqual(kit.refused(), [`unban by ${BY}`]);
    assert.equal(await kit.ask({ verb: "allow_list", limit: 50, cursor: null }), null);
    kit.clock.advance(HOUR_MS);
    assert.equal(await kit.ask(unban), null);
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

  test("root is bound by none of it, and has no sign-ins to report", async () => {
    for (const command of Object.values(COMMANDS)) {
      const refused = kit.gate.refuses({ command, by: "root" }, "root") !== null;
      assert.equal(refused, ["dashboard_ask", "dashboard_login", "admin_seen"].includes(command.verb), command.verb);
    }
    assert.equal(
      kit.gate.refuses({ by: "root", command: { ...COMMANDS.allow_add, target: "10.0.0.0/8" } }, "root"),
      null,
    );
    await new Promise((resolve) => setImmediate(resolve));
  });

  test("its bounds are what people and their scripts stay far below", () => {
    assert.deepEqual(WEB_LIMITS, {
      widest: { v4: 24, v6: 48 },
      changes: 500,
      allowed: 50,
      bannedSignIns: 100,
      signInsEach: 300,
      signIns: 3_000,
      administrators: 32,
    });
  });

  test("bans, unbans and changes of the allow list count together, and slide out of the hour one by one", async () => {
    const verbs = ["unban", "allow_remove"] as const;
    for (let i = 0; i < 500; i++) {
      assert.equal(await kit.ask({ verb: verbs[i % 2] ?? "unban", target: "203.0.113.7" }), null);
      if (i === 0) kit.clock.advance(MINUTE_MS);
    }
    const ban: Command = { verb: "ban", target: "203.0.113.7", note: "", for: null };
    kit.clock.advance(59 * MINUTE_MS - 1);
    assert.equal((await kit.ask(ban))?.ok, false);
    assert.equal((await kit.ask({ ...ban, verb: "allow_add" }))?.ok, false);
    kit.clock.advance(1);
    assert.equal(await kit.ask(ban), null);
    assert.equal((await kit.ask(ban))?.ok, false);
  });

  test("a clock that was set back forgives what lies ahead of it", async () => {
    const unban: Command = { verb: "unban", target: "203.0.113.7" };
    for (let i = 0; i < 500; i++) await kit.ask(unban);
    kit.clock.advance(-1);
    assert.equal(await kit.ask(unban), null);
  });

  test("what does not lie ahead of a clock that was set back still counts", () => {
    const unban: Command = { verb: "unban", target: "203.0.113.7" };
    const spent = (most: number): number => {
      let passed = 0;
      for (let i = 0; i < most; i++) if (kit.gate.refuses({ command: unban, by: BY }, "web") === null) passed += 1;
      return passed;
    };
    assert.equal(spent(499), 499);
    kit.clock.advance(10);
    assert.equal(spent(2), 1);
    kit.clock.advance(-5);
    assert.equal(spent(2), 1, "one lay ahead");
    kit.clock.advance(-5);
    assert.equal(spent(2), 1, "and again; those of just now do not");
  });

  test("an address that asks without end uses up its own share alone, and nobody is told of a break-in", async () => {
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

  test("an address from which nobody worked for half an hour makes room for another", () => {
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

function setUp() {
  const memory = engineOnMemory();
  const { engine, sqlite, clock, db } = memory;
  const gate = new CommandGate({ engine, history: sqlite, clock });
  const rows = (sql: string, ...values: readonly string[]): readonly string[] =>
    db
      .prepare(sql)
      .all(...values)
      .map((row) => String(Object.values(row)[0]));
  return {
    ...memory,
    gate,
    history: sqlite,
    /** As the web; the record of a refusal is committed by the end of the turn. */
    ask: async (command: Command) => {
      const refused = gate.refuses({ command, by: BY }, "web");
      await new Promise((resolve) => setImmediate(resolve));
      return refused;
    },
    refused: () => rows("SELECT details FROM event WHERE type = 'COMMAND_REFUSED' ORDER BY id"),
    count: (type: string) => rows("SELECT id FROM event WHERE type = ?", type).length,
    accounts: () => rows("SELECT DISTINCT account FROM event WHERE account IS NOT NULL"),
  };
}
