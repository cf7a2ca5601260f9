import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, test } from "node:test";
import { accountsOnMemory, engineOnMemory, NO_ALERTS, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { parseAccountName } from "../core/address.ts";
import { parsePrefix } from "../core/ip.ts";
import { HOUR_MS } from "../core/time.ts";
import type { Command, KeeperCommand, Reply } from "../wire/control.ts";
import type { AccountStore, AliasStore } from "./admin-ports.ts";
import { createCommands } from "./commands.ts";
import { noEnforcement } from "./enforce.ts";
import { healthOf } from "./health.ts";
import type { BanLog, Outcome } from "./ports.ts";

const HASH = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";

describe("commands of the administrator", () => {
  let kit: ReturnType<typeof setUp>;
  beforeEach(() => {
    kit = setUp();
  });

  test("ban: an address, a network, an IPv6 address as its network; a time, for good, or the default", async () => {
    const ban = async (target: string, length: string | null): Promise<string> => {
      const reply = await kit.ask({ verb: "ban", target, note: "noise", for: length });
      assert.ok(reply.ok && "ban" in reply.result);
      const { prefix, level, reason, source, createdAt, expiresAt } = reply.result.ban;
      const hours = expiresAt === null ? "ever" : (Date.parse(expiresAt) - Date.parse(createdAt)) / HOUR_MS;
      return `${prefix} ${level} ${reason} ${source} ${hours}`;
    };
    assert.equal(await ban("203.0.113.7", null), "203.0.113.7/32 manual noise root 24");
    assert.equal(await ban("198.51.100.9/24", "2h"), "198.51.100.0/24 manual noise root 2");
    assert.equal(await ban("2001:db8:1:2::7", "permanent"), "2001:db8:1:2::/64 manual noise root ever");
  });

  test("nonsense is a usage error of one sentence, and changes nothing", async () => {
    const wrong: readonly Command[] = [
      { verb: "ban", target: "nonsense", note: "", for: null },
      { verb: "ban", target: "203.0.113.7", note: "", for: "soon" },
      { verb: "ban", target: "203.0.113.7", note: "", for: "0s" },
      { verb: "unban", target: "203.0.113.7/33" },
      { verb: "allow_add", target: "", note: "", for: null },
      { verb: "account_add", name: "alice", hash: HASH },
      { verb: "account_add", name: "alice@example.test", hash: "in the clear" },
      { verb: "alias_add", address: "info@example.test", targets: [] },
      { verb: "token_create", name: "a b", digest: "00" },
      { verb: "admin_passwd", hash: "in the clear" },
      { verb: "dashboard_ask", ip: "nowhere" },
    ];
    for (const command of wrong) {
      const reply = await kit.ask(command);
      assert.ok(!reply.ok && reply.kind === "usage", JSON.stringify([command, reply]));
      assert.match(reply.message, /^[^\n]+\.$/);
    }
    assert.equal(kit.rows(), 0);
  });

  test("what is right but cannot be done says why and what next", async () => {
    const impossible: readonly (readonly [Command, RegExp])[] = [
      [{ verb: "ban", target: "203.0.113.1", note: "", for: null }, /gateway/],
      [{ verb: "unban", target: "203.0.113.7" }, /No ban stands/],
      [{ verb: "allow_remove", target: "203.0.113.7" }, /not on the allow list/],
      [{ verb: "account_add", name: "alice@elsewhere.test", hash: HASH }, /no mail domain/],
      [{ verb: "account_suspend", name: "nobody@example.test" }, /no account/],
      [{ verb: "token_revoke", name: "none" }, /no token/],
    ];
    for (const [command, says] of impossible) {
      const reply = await kit.ask(command);
      assert.ok(!reply.ok && reply.kind === "failed", JSON.stringify([command, reply]));
      assert.match(reply.message, says);
      assert.notEqual(reply.next, "");
    }
  });

  test("an account is added, changed and removed; its sessions end where its rights shrink; all is recorded", async () => {
    const name = "alice@example.test";
    for (const verb of ["account_add", "account_passwd"] as const)
      assert.ok((await kit.ask({ verb, name, hash: HASH })).ok);
    for (const verb of ["account_suspend", "account_resume", "account_remove"] as const)
      assert.ok((await kit.ask({ verb, name })).ok);
    assert.deepEqual(kit.kept, ["kick_account", "kick_account", "kick_account"]);
    assert.deepEqual(kit.types(), [
      "ACCOUNT_ADDED",
      "PASSWORD_CHANGED",
      "ACCOUNT_SUSPENDED",
      "ACCOUNT_RESUMED",
      "ACCOUNT_REMOVED",
    ]);
  });

  test("a keeper that cannot be reached is told, and the account is changed all the same", async () => {
    kit.keeperUp(false);
    await kit.ask({ verb: "account_add", name: "alice@example.test", hash: HASH });
    const suspended = await kit.ask({ verb: "account_suspend", name: "alice@example.test" });
    assert.ok(!suspended.ok && /is changed, but its open sessions go on: /.test(suspended.message));
    assert.ok(kit.types().includes("ACCOUNT_SUSPENDED"));
    assert.ok(kit.notices.raised.has("keeper_unreachable"));
    const health = await kit.ask({ verb: "health" });
    assert.ok(health.ok && "components" in health.result);
    assert.equal(health.result.status, "degraded");
    kit.keeperUp(true);
    await kit.ask({ verb: "health" });
    assert.ok(!kit.notices.raised.has("keeper_unreachable"));
  });

  test("nobody is told that all is well where the record could not be kept", async () => {
    kit.db.exec("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    const commands: readonly Command[] = [
      { verb: "account_add", name: "alice@example.test", hash: HASH },
      { verb: "account_suspend", name: "alice@example.test" },
      { verb: "token_create", name: "nightly", digest: "0".repeat(64) },
      { verb: "admin_passwd", hash: `{ARGON2ID}${HASH.slice(HASH.indexOf("}") + 1)}` },
      { verb: "greylist_pause", target: "owner@example.test", for: null },
      { verb: "accounts_import", entries: [{ name: "bea@example.test", hash: HASH }] },
      { verb: "accounts_follow", entries: [{ name: "cleo@example.test", hash: HASH }], gone: [] },
      { verb: "spam_allow_add", account: "bea@example.test", sender: "*@friend.example" },
    ];
    for (const command of commands) {
      // After a refusal the engine waits before it tries the database again.
      kit.clock.advance(2_000);
      const reply = await kit.ask(command);
      assert.ok(!reply.ok && /no record of it was kept/.test(reply.message), JSON.stringify([command, reply]));
    }
    assert.deepEqual(kit.kept, ["kick_account"]);
    kit.clock.advance(2_000);
    const reload = { ok: true, result: { changed: [], recorded: false } };
    assert.deepEqual(await kit.ask({ verb: "reload" }), reload, "settings are in force all the same");
  });

  test("cleanup ends what is over, and only that", async () => {
    await kit.ask({ verb: "ban", target: "203.0.113.7", note: "", for: "1s" });
    await kit.ask({ verb: "ban", target: "203.0.113.8", note: "", for: "1h" });
    kit.clock.advance(1_001);
    assert.deepEqual(await kit.ask({ verb: "cleanup" }), { ok: true, result: { expired: 1 } });
    assert.deepEqual(await kit.ask({ verb: "cleanup" }), { ok: true, result: { expired: 0 } });
    assert.deepEqual(kit.types(), ["BAN", "BAN", "BAN_EXPIRED"]);
  });

  test("the allow list shows both origins; what the settings list is removed there", async () => {
    kit = setUp({ ...TEST_POLICY, allow: [prefixOf("198.51.100.0/24")] });
    await kit.ask({ verb: "ban", target: "203.0.113.7", note: "", for: null });
    const added = await kit.ask({ verb: "allow_add", target: "203.0.113.7", note: "office", for: null });
    assert.deepEqual(added, { ok: true, result: { prefix: "203.0.113.7/32", lifted: ["203.0.113.7/32"] } });
    const listed = await kit.ask({ verb: "allow_list" });
    assert.ok(listed.ok && "items" in listed.result);
    assert.deepEqual(
      listed.result.items.map(({ prefix, from }) => `${prefix} ${from}`),
      ["198.51.100.0/24 settings", "203.0.113.7/32 command"],
    );
    const refused = await kit.ask({ verb: "allow_remove", target: "198.51.100.0/24" });
    assert.ok(!refused.ok && refused.message.includes("settings"));
  });

  test("a sender is let in for an account that exists, once, and the filter is told each time", async () => {
    const name = "owner@example.test";
    const account = parseAccountName(name);
    assert.ok(account !== null);
    kit.real.add(account, HASH, kit.clock.now());
    const add = (to: string, sender: string) => kit.ask({ verb: "spam_allow_add", account: to, sender });
    const added = await add(name, "*@Friend.example");
    assert.deepEqual(added, { ok: true, result: { account: name, sender: "*@friend.example" } });
    for (const [to, sender, kind] of [
      [name, "*@friend.example", "failed"],
      ["nobody@example.test", "*@friend.example", "failed"],
      [name, "friend.example", "usage"],
      ["owner", "*@friend.example", "usage"],
    ] as const) {
      const reply = await add(to, sender);
      assert.ok(!reply.ok && reply.kind === kind, `${to} ${sender}`);
    }
    const listed = await kit.ask({ verb: "spam_allow_list" });
    assert.ok(listed.ok && "senders" in listed.result);
    assert.deepEqual(
      listed.result.senders.map(({ account: who, sender, by }) => [who, sender, by]),
      [[name, "*@friend.example", "root"]],
    );
    const remove = { verb: "spam_allow_remove", account: name, sender: "*@friend.example" } as const;
    assert.equal((await kit.ask(remove)).ok, true);
    assert.equal((await kit.ask(remove)).ok, false);
    assert.equal(kit.refreshed(), 2);
  });

  test("a database that takes no writes fails the command, in one sentence", async () => {
    kit.store.failing = "commit";
    const reply = await kit.ask({ verb: "ban", target: "203.0.113.7", note: "", for: null });
    assert.ok(!reply.ok && reply.kind === "failed");
    assert.match(reply.message, /could not be written/);
  });
});

function prefixOf(text: string) {
  const parsed = parsePrefix(text);
  assert.ok(parsed !== null);
  return parsed;
}

function setUp(policy = TEST_POLICY) {
  const memory = engineOnMemory(policy, [{ prefix: prefixOf("203.0.113.1/32"), why: "gateway" }]);
  const kept: KeeperCommand["verb"][] = [];
  let up = true;
  const keeper = {
    ask: (command: KeeperCommand) => {
      if (command.verb !== "status") kept.push(command.verb);
      return Promise.resolve(up ? { ok: true as const, detail: "" } : { ok: false as const, reason: "no answer" });
    },
  };
  const { engine, sqlite, notices, clock, db } = memory;
  const { accounts: real, files, networks, acquaintances, senders, credentials } = accountsOnMemory();
  let refreshed = 0;
  const run = createCommands({
    engine,
    history: sqlite,
    banLog: banLogOn(db),
    clock,
    accounts: new AccountsInMemory(),
    files,
    networks,
    recipients: { exists: (address) => address === "owner@example.test" },
    pauses: acquaintances(db),
    senders: senders(db),
    preferences: { refresh: () => void refreshed++ },
    keeper,
    notices,
    credentials: credentials(db, clock),
    health: () =>
      healthOf({
        keeper,
        notices,
        clock,
        startedAt: engine.startedAt,
        firewall: noEnforcement.status,
        events: () => 0,
      }),
    reload: () => ({ ok: true, changed: [] }),
    alerts: NO_ALERTS,
    pid: 1,
  });
  return {
    ...memory,
    kept,
    real,
    refreshed: () => refreshed,
    ask: (command: Command): Promise<Reply> => run({ by: "root", command }),
    keeperUp: (value: boolean) => {
      up = value;
    },
    rows: () => db.prepare("SELECT count(*) AS n FROM event").get()?.["n"],
    types: () =>
      db
        .prepare("SELECT type FROM event ORDER BY id")
        .all()
        .map((row) => row["type"]),
  };
}

function banLogOn(db: DatabaseSync): BanLog {
  const expired = db.prepare("SELECT prefix FROM ban WHERE ended_at IS NULL AND expires_at <= ? LIMIT ?");
  const unused = (): never => assert.fail("commands ask the ban log for what has expired, for nothing else");
  return {
    last: unused,
    after: unused,
    active: unused,
    nextExpiry: unused,
    expired: (now, most) => expired.all(now, most).map((row) => prefixOf(String(row["prefix"]))),
  };
}

/** Holds names alone; the real store has its own tests. */
class AccountsInMemory implements AccountStore, AliasStore {
  readonly #names = new Set<string>();
  add(name: string): Outcome {
    if (this.#names.has(name)) return { ok: false, reason: `There is an account ${name}.` };
    this.#names.add(name);
    return { ok: true };
  }
  setPassword(name: string): Outcome {
    return this.#known(name);
  }
  setSuspended(name: string): Outcome {
    return this.#known(name);
  }
  remove(name: string): Outcome {
    return this.#names.delete(name) ? { ok: true } : this.#known(name);
  }
  addAlias = (): Outcome => ({ ok: true });
  removeAlias = (): Outcome => ({ ok: true });
  setAliasBlocked = (): Outcome => ({ ok: true });
  isAddress(address: string): boolean {
    return this.#names.has(address);
  }
  leadsTo(from: string, to: string): boolean {
    return from === to;
  }
  #known(name: string): Outcome {
    return this.#names.has(name) ? { ok: true } : { ok: false, reason: `There is no account ${name}.` };
  }
}
