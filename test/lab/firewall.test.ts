import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, beforeEach, describe, test } from "node:test";
import { NftFirewall } from "../../src/adapters/nft/firewall.ts";
import { SqliteBanLog } from "../../src/adapters/sqlite/ban-log.ts";
import { engineMigrations } from "../../src/adapters/sqlite/migrations-engine.ts";
import { SqliteStore } from "../../src/adapters/sqlite/store.ts";
import { type Prefix, parseIp, parsePrefix } from "../../src/core/ip.ts";
import { instant, later, type Millis } from "../../src/core/time.ts";
import { createEnforcer, type Enforcer } from "../../src/engine/enforce.ts";
import type { BanStep, FirewallBan, Outcome } from "../../src/engine/ports.ts";
import { NoticeBoard } from "../kit/engine-kit.ts";
import type { Connected } from "./host.ts";
import { Lab } from "./lab.ts";
import { namespaceOf, SERVER, whyNoLab } from "./network.ts";
import { until } from "./wait.ts";

const without = whyNoLab();
const PORT = 2525;
const OK: Outcome = { ok: true };
/** The guard's rights: an unprivileged user with this one capability, or without it. */
const AS_NOBODY = "setpriv --reuid nobody --regid nogroup --clear-groups";
const ABLE = `${AS_NOBODY} --inh-caps=+net_admin --ambient-caps=+net_admin`;

describe("the firewall in a real kernel", { skip: without ?? false }, () => {
  let lab: Lab;
  let listener: ChildProcess;
  /** What the listener said: which of its sessions ended. */
  let heard = "";
  let firewall: NftFirewall;
  const now = (): Millis => instant(Date.now());

  before(async () => {
    lab = await Lab.make();
    const program = `require("net").createServer((s) => { s.on("error", () => {}); s.on("close", () => console.log("closed " + s.from)); s.from = s.remoteAddress.replace("::ffff:", ""); s.pipe(s); }).listen(${PORT}, "::", () => console.log("ready"))`;
    const [command = "", ...argv] = lab.server.inside([process.execPath, "-e", program]);
    listener = spawn(command, argv, { stdio: ["ignore", "pipe", "inherit"] });
    assert.ok(listener.stdout !== null);
    listener.stdout.setEncoding("utf8");
    listener.stdout.on("data", (text: string) => {
      heard += text;
    });
    await until("the listener listens", () => heard.includes("ready\n"));
    firewall = new NftFirewall({ ipv6Prefix: () => 64, path: toolsOf("able", ABLE) });
  });
  beforeEach(async () => assert.deepEqual(await firewall.reset([], [], now()), OK));
  after(async () => {
    await firewall.close();
    listener.kill("SIGKILL");
    lab.remove();
  });

  /** A folder whose `nft` and `ss` run the real ones in the server's network, with just these rights. */
  function toolsOf(name: string, rights: string): string {
    const folder = join(lab.directory, name);
    mkdirSync(folder);
    for (const tool of ["/usr/sbin/nft", "/usr/bin/ss"]) {
      const path = join(folder, tool.slice(tool.lastIndexOf("/") + 1));
      writeFileSync(
        path,
        `#!/bin/sh\nPATH=/usr/sbin:/usr/bin exec ip netns exec ${namespaceOf("server")} ${rights} ${tool} "$@"\n`,
      );
      chmodSync(path, 0o755);
    }
    return folder;
  }

  async function connect(from: string, timeoutMs = 3_000): Promise<Connected> {
    const to = from.includes(":") ? SERVER.v6 : SERVER.v4;
    return lab.attacker.connect({ from, to, port: PORT, timeoutMs });
  }

  async function reaches(from: string, timeoutMs = 400): Promise<boolean> {
    const connected = await connect(from, timeoutMs);
    if (connected.ok) connected.socket.destroy();
    else assert.equal(connected.code, "ETIMEDOUT", "banned packets are dropped, not answered");
    return connected.ok;
  }

  async function passes(...addresses: readonly string[]): Promise<void> {
    for (const from of addresses) assert.ok(await reaches(from, 3_000), `${from} is not banned`);
  }

  async function banned(...addresses: readonly string[]): Promise<void> {
    for (const from of addresses) assert.ok(!(await reaches(from)), `${from} is banned`);
  }

  async function apply(...steps: readonly (readonly ["add" | "delete", string, number?])[]): Promise<void> {
    const made = steps.map(
      ([type, text, lastsMs], id): BanStep =>
        type === "delete"
          ? { id, type, prefix: prefix(text) }
          : { id, type, prefix: prefix(text), expiresAt: lastsMs === undefined ? null : later(now(), lastsMs) },
    );
    assert.deepEqual(await firewall.apply(made, now()), OK);
  }

  test("single addresses, IPv6 units, IPv6 hosts and networks are shut out, and let in again", async () => {
    const cases: readonly (readonly [string, string, string])[] = [
      ["198.51.100.200", "198.51.100.200", "198.51.100.201"],
      ["2001:db8:a000:1::/64", "2001:db8:a000:1:ffff::9", "2001:db8:a000:2::9"],
      ["2001:db8:a000:3::7", "2001:db8:a000:3::7", "2001:db8:a000:3::8"],
      ["198.51.100.208/28", "198.51.100.223", "198.51.100.224"],
      ["2001:db8:a100::/40", "2001:db8:a1ff::1", "2001:db8:a200::1"],
    ];
    await apply(...cases.map(([network]) => ["add", network, 3_600_000] as const));
    for (const [, inside, outside] of cases) {
      await banned(inside);
      await passes(outside);
    }
    assert.ok((await firewall.counters()).dropped >= cases.length);
    await apply(...cases.map(([network]) => ["delete", network] as const), ["delete", "198.51.100.250"]);
    await passes(...cases.map(([, inside]) => inside));
  });

  test("what is allowed passes, whatever is banned, and entries may lie within one another", async () => {
    const bans: readonly FirewallBan[] = ["0.0.0.0/0", "::/0", "198.51.100.200"].map((text) => ({
      prefix: prefix(text),
      expiresAt: null,
    }));
    const allow = ["198.51.100.200", "198.51.100.192/28", "2001:db8:a000::/48", "2001:db8:a000:1::5"].map(prefix);
    assert.deepEqual(await firewall.reset(bans, allow, now()), OK);
    await passes("198.51.100.200");
    await banned("198.51.100.210");
    await passes("2001:db8:a000::5");
    await banned("2001:db8:a001::5");
  });

  test("the kernel lets go of a ban by itself, and a new ban of the same address starts its time anew", async () => {
    await apply(["add", "198.51.100.195", 1_000], ["add", "198.51.100.196", 1_000]);
    await apply(["add", "198.51.100.196"]);
    await banned("198.51.100.195");
    await until("the ban is over", () => reaches("198.51.100.195"));
    await banned("198.51.100.196");
  });

  test("a network within a banned one stays banned when the wider one goes", async () => {
    await apply(["add", "198.51.100.192/27"], ["add", "198.51.100.128/25"], ["add", "198.51.100.0/24", 3_600_000]);
    await banned("198.51.100.250");
    await apply(["delete", "198.51.100.0/24"]);
    await banned("198.51.100.250");
    await apply(["delete", "198.51.100.128/25"]);
    await passes("198.51.100.250");
    await banned("198.51.100.200");
    await apply(["delete", "198.51.100.192/27"]);
    await passes("198.51.100.200");
  });

  for (const from of ["198.51.100.230", "2001:db8:a005::1"])
    test(`an open session from ${from} is cut at both ends`, async () => {
      const session = await connect(from);
      const bystander = await connect(from.includes(":") ? "2001:db8:a006::1" : "198.51.100.231");
      assert.ok(session.ok && bystander.ok);
      const closedHere = once(session.socket, "close");
      const network = from.includes(":") ? "2001:db8:a005::/64" : from;
      await apply(["add", network]);
      assert.deepEqual(await firewall.cut([prefix("198.51.100.254"), prefix(network)]), OK);
      await closedHere;
      await until("the server's end is closed", () => heard.includes(`closed ${from}\n`));
      bystander.socket.write("still here");
      assert.equal(String(await once(bystander.socket, "data")), "still here");
      bystander.socket.destroy();
    });

  test("an open session that was not cut is refused at its next packet", async () => {
    const session = await connect("198.51.100.232");
    assert.ok(session.ok);
    await apply(["add", "198.51.100.232"]);
    session.socket.write("anyone there?");
    await once(session.socket, "close");
    assert.ok((await firewall.counters()).refused > 0);
  });

  test("thousands of sessions' networks are cut in one call", async () => {
    const session = await connect("198.51.100.233");
    assert.ok(session.ok);
    const closed = once(session.socket, "close");
    const many = Array.from({ length: 2_500 }, (_, i) => prefix(`2001:db8:c:${i.toString(16)}::/64`));
    assert.deepEqual(await firewall.cut([...many, prefix("198.51.100.233")]), OK);
    await closed;
  });

  test("100,000 bans are back in a second, and no other table is touched", async (t) => {
    await lab.server.mustExec([
      "nft",
      "add table inet other; add set inet other s { type ipv4_addr; elements = { 203.0.113.99 }; }",
    ]);
    const bans = Array.from(
      { length: 100_000 },
      (_, i): FirewallBan => ({
        prefix: prefix(
          i % 2 === 0
            ? `11.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
            : `2001:db8:${i.toString(16)}::/64`.replace(/:(\w)(\w{4}):/, ":$1:$2:"),
        ),
        expiresAt: later(now(), 3_600_000 + i),
      }),
    );
    const from = performance.now();
    assert.deepEqual(
      await firewall.reset([...bans, { prefix: prefix("198.51.100.240"), expiresAt: null }], [], now()),
      OK,
    );
    const tookMs = performance.now() - from;
    t.diagnostic(`100,000 bans restored in ${tookMs.toFixed(0)} ms`);
    assert.ok(tookMs < 3_000, `${tookMs} ms`);
    await banned("198.51.100.240");
    const checkedFrom = performance.now();
    assert.deepEqual(await firewall.check(), OK);
    t.diagnostic(`checked in ${(performance.now() - checkedFrom).toFixed(0)} ms`);
    const addedFrom = performance.now();
    await apply(["add", "198.51.100.241"]);
    t.diagnostic(`one more in ${(performance.now() - addedFrom).toFixed(1)} ms`);
    assert.match(await lab.server.mustExec(["nft", "list", "table", "inet", "other"]), /203\.0\.113\.99/);
    await lab.server.mustExec(["nft", "delete", "table", "inet", "other"]);
  });

  for (const vandalism of [
    "flush ruleset",
    "delete table inet ghostinbox",
    "flush table inet ghostinbox",
    "flush chain inet ghostinbox input",
    "flush set inet ghostinbox ban4",
    "flush set inet ghostinbox ban6",
  ])
    test(`\`nft ${vandalism}\` is noticed`, async () => {
      assert.deepEqual(await firewall.check(), OK);
      await lab.server.mustExec(["nft", vandalism]);
      assert.deepEqual(await firewall.check(), {
        ok: false,
        reason: "The firewall's table was changed or removed by someone else.",
      });
    });

  test("nft is replaced before its history grows large, and nothing is lost by it", async () => {
    const pidOf = async (): Promise<string> =>
      (await lab.server.exec(["pgrep", "-u", "nobody", "-f", "nft -i"])).stdout.trim();
    const batch = (i: number): readonly string[] =>
      Array.from({ length: 60 }, (_, n) => `10.${i >> 8}.${i & 255}.${n}`);
    await apply(["add", "198.51.100.242"]);
    const first = await pidOf();
    let batches = 0;
    while (batches < 1_000 && (batches % 50 !== 49 || (await pidOf()) === first))
      await apply(...batch(batches++).map((text) => ["add", text] as const));
    assert.notEqual(await pidOf(), first);
    assert.match(await pidOf(), /^\d+$/, "the old one has ended");
    const listing = await firewall.listing();
    const held = new Set(listing.match(/\b10(?:\.\d+){3}\b/g));
    assert.equal(held.size, 60 * batches);
  });

  test("without the capability, and without nft, there is one clear sentence and no exception", async () => {
    const steps: readonly BanStep[] = [{ id: 1, type: "add", prefix: prefix("198.51.100.245"), expiresAt: null }];
    for (const [path, reason] of [
      [toolsOf("unable", AS_NOBODY), "The guard lacks CAP_NET_ADMIN, so it cannot steer the firewall."],
      [join(lab.directory, "nowhere"), "The program `nft` is not installed (Debian package nftables)."],
    ] as const) {
      const weak = new NftFirewall({ ipv6Prefix: () => 64, path });
      assert.deepEqual(await weak.reset([], [], now()), { ok: false, reason });
      assert.deepEqual(await weak.apply(steps, now()), { ok: false, reason });
      assert.deepEqual(await weak.check(), { ok: false, reason });
      await weak.close();
    }
    const session = await connect("198.51.100.246");
    assert.ok(session.ok);
    const weak = new NftFirewall({ ipv6Prefix: () => 64, path: join(lab.directory, "unable") });
    const outcome = await weak.cut([prefix("198.51.100.246")]);
    assert.deepEqual(outcome, { ok: false, reason: "The guard lacks CAP_NET_ADMIN, so it cannot end sessions." });
    session.socket.destroy();
  });

  describe("following the database", () => {
    let enforcer: Enforcer;
    let notices: NoticeBoard;
    let store: SqliteStore;
    const logged: string[] = [];

    beforeEach(async () => {
      const db = new DatabaseSync(":memory:");
      for (const sql of engineMigrations) db.exec(sql);
      store = new SqliteStore(db);
      notices = new NoticeBoard();
      const note = (message: string): number => logged.push(message);
      enforcer = createEnforcer({
        banLog: new SqliteBanLog(db),
        firewall,
        allowList: () => [],
        clock: { now },
        notices,
        log: { info: note, warn: note, error: note },
      });
    });

    function ban(text: string): void {
      const network = prefix(text);
      const ip = parseIp(text.replace(/\/\d+$/, ""));
      assert.ok(ip !== null);
      const expiresAt = later(now(), 3_600_000);
      store.begin();
      store.apply(
        {
          type: "BAN",
          ban: {
            prefix: network,
            ip,
            level: "light",
            code: "mail_limit",
            reason: "",
            source: "engine",
            createdAt: now(),
            expiresAt,
            offences: 1,
          },
        },
        now(),
      );
      store.commit();
    }

    const lastStep = (): number => enforcer.status().lastStep;

    test("bans from before the start hold; new ones are there a moment later; their sessions end", async (t) => {
      ban("198.51.100.200");
      const session = await connect("198.51.100.201");
      assert.ok(session.ok);
      await enforcer.start();
      try {
        await banned("198.51.100.200");
        const closed = once(session.socket, "close");
        ban("198.51.100.201");
        enforcer.nudge();
        await closed;
        await banned("198.51.100.201");
        const applied: number[] = [];
        for (let i = 0; i < 300; i++) applied.push(await timeToKernel(`10.9.${i >> 8}.${i & 255}`));
        applied.sort((a, b) => a - b);
        const [p50 = Infinity, p99 = Infinity] = [applied[150], applied[296]];
        t.diagnostic(`from nudge to kernel: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
        assert.ok(p50 < 20, `${p50} ms`);
      } finally {
        await enforcer.stop();
      }
    });

    async function timeToKernel(text: string): Promise<number> {
      ban(text);
      const step = lastStep() + 1;
      const from = performance.now();
      enforcer.nudge();
      while (lastStep() < step) await new Promise((resolve) => setImmediate(resolve));
      return performance.now() - from;
    }

    test("a flushed ruleset and a killed nft are mended, and the owner is told when they cannot be", async () => {
      ban("198.51.100.203");
      await enforcer.start();
      try {
        await lab.server.mustExec(["nft", "flush ruleset"]);
        await passes("198.51.100.203");
        await enforcer.verify();
        await banned("198.51.100.203");

        await lab.server.mustExec(["nft", "flush ruleset"]);
        ban("198.51.100.204");
        enforcer.nudge();
        await until(
          "the reset after a failed step",
          async () => !(await reaches("198.51.100.203")) && !(await reaches("198.51.100.204")),
        );

        const nft = (await lab.server.mustExec(["pgrep", "-u", "nobody", "-f", "nft -i"])).trim();
        process.kill(Number(nft), "SIGKILL");
        ban("198.51.100.205");
        enforcer.nudge();
        await until("the ban after nft was killed", async () => !(await reaches("198.51.100.205")));
        await until("all is well again", () => enforcer.status().state === "enforcing");
        assert.deepEqual([...notices.raised.keys()], []);
      } finally {
        await enforcer.stop();
      }
    });
  });
});

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert.ok(parsed !== null, text);
  return parsed;
}
