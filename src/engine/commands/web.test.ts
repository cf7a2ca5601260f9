import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { COMMANDS } from "../../../test/kit/commands.ts";
import { BY, webGateOnMemory } from "../../../test/kit/web-gate-kit.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import { mayAsk } from "../../wire/control/rights.ts";
import { allowAdd } from "./bans.ts";
import { WEB_LIMITS } from "./web-bounds.ts";

describe("what the web asks", () => {
  let kit: ReturnType<typeof webGateOnMemory>;
  beforeEach(() => {
    kit = webGateOnMemory();
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
});
