import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import type { FirewallBan } from "../../src/core/firewall/plan-firewall.ts";
import { planReset } from "../../src/core/firewall/plan-firewall.ts";
import { later } from "../../src/core/time.ts";
import { NftFirewall } from "../../src/host/firewall/firewall.ts";
import { nftLocal, nftReset, onlyBans } from "../../src/host/firewall/guard-table.ts";
import { patience } from "../kit/patience.ts";
import { net } from "../kit/samples.ts";
import { AS_NOBODY } from "./commands.ts";
import { type FirewallLab, lastingBan, makeFirewallLab, OK, PORT } from "./firewall-kit.ts";
import { SERVER, whyNoLab } from "./network.ts";
import { timed, until } from "./wait.ts";

const ROOT = 0;

describe("the firewall in a real kernel", { skip: whyNoLab() ?? false }, () => {
  let kit: FirewallLab;
  before(async () => {
    kit = await makeFirewallLab();
  });
  beforeEach(async () => assert.deepEqual(await kit.firewall.reset([], [], kit.now()), OK));
  after(async () => kit.remove());

  test("single addresses, IPv6 units, IPv6 hosts and networks are blocked, and unblocked again", async () => {
    const cases: readonly (readonly [string, string, string])[] = [
      ["198.51.100.200", "198.51.100.200", "198.51.100.201"],
      ["2001:db8:a000:1::/64", "2001:db8:a000:1:ffff::9", "2001:db8:a000:2::9"],
      ["2001:db8:a000:3::7", "2001:db8:a000:3::7", "2001:db8:a000:3::8"],
      ["198.51.100.208/28", "198.51.100.223", "198.51.100.224"],
      ["2001:db8:a100::/40", "2001:db8:a1ff::1", "2001:db8:a200::1"],
    ];
    await kit.apply(...cases.map(([network]) => ["add", network, 3_600_000] as const));
    for (const [, inside, outside] of cases) {
      await kit.banned(inside);
      await kit.passes(outside);
    }
    assert.ok((await kit.counted("dropped")) >= cases.length);
    await kit.apply(...cases.map(([network]) => ["delete", network] as const), ["delete", "198.51.100.250"]);
    await kit.passes(...cases.map(([, inside]) => inside));
  });

  test("the kernel's bans are read back, and a missing one is noticed, whichever set it is from", async () => {
    const some = ["198.51.100.7", "2001:db8:a000:1::/64", "2001:db8:a000:2::9/128"].map((text) => net(text));
    for (const one of some) {
      for (const each of some) await kit.apply(["add", each]);
      assert.deepEqual(await kit.firewall.holds(some), OK);
      await kit.apply(["delete", one]);
      assert.equal((await kit.firewall.holds(some)).ok, false, one);
    }
  });

  test("allow-listed addresses pass whatever is banned, and entries may lie within one another", async () => {
    const bans = ["0.0.0.0/0", "::/0", "198.51.100.200"].map(lastingBan);
    const allow = ["198.51.100.200", "198.51.100.192/28", "2001:db8:a000::/48", "2001:db8:a000:1::5"].map(net);
    assert.deepEqual(await kit.firewall.reset(bans, allow, kit.now()), OK);
    await kit.passes("198.51.100.200");
    await kit.banned("198.51.100.210");
    await kit.passes("2001:db8:a000::5");
    await kit.banned("2001:db8:a001::5");
  });

  test("the kernel ends a ban on time, and a new ban of the same address restarts its time", async () => {
    // Long enough to see it in force on a slow machine.
    const lastsMs = patience(2_000);
    await kit.apply(["add", "198.51.100.195", lastsMs], ["add", "198.51.100.196", lastsMs]);
    await kit.apply(["add", "198.51.100.196"]);
    await kit.banned("198.51.100.195");
    await until("the ban is over", () => kit.reaches("198.51.100.195"));
    await kit.banned("198.51.100.196");
  });

  test("a network within a banned one stays banned when the ban of the wider one ends", async () => {
    await kit.apply(["add", "198.51.100.192/27"], ["add", "198.51.100.128/25"], ["add", "198.51.100.0/24", 3_600_000]);
    await kit.banned("198.51.100.250");
    await kit.apply(["delete", "198.51.100.0/24"]);
    await kit.banned("198.51.100.250");
    await kit.apply(["delete", "198.51.100.128/25"]);
    await kit.passes("198.51.100.250");
    await kit.banned("198.51.100.200");
    await kit.apply(["delete", "198.51.100.192/27"]);
    await kit.passes("198.51.100.200");
  });

  for (const from of ["198.51.100.230", "2001:db8:a005::1"])
    test(`an open session from ${from} is cut at both ends`, async () => {
      const session = await kit.open(from);
      const bystander = await kit.open(from.includes(":") ? "2001:db8:a006::1" : "198.51.100.231");
      const closedHere = once(session, "close");
      const network = from.includes(":") ? "2001:db8:a005::/64" : from;
      await kit.apply(["add", network]);
      assert.deepEqual(await kit.firewall.cut([net("198.51.100.254"), net(network)]), OK);
      await closedHere;
      await until("the server's end is closed", () => kit.sawEnd(from));
      bystander.write("still here");
      assert.equal(String(await once(bystander, "data")), "still here");
      bystander.destroy();
    });

  for (const from of ["198.51.100.234", "2001:db8:a007::1"])
    test(`mail to the banned ${from} still leaves, and none of its ports reaches the server`, async (t) => {
      const server = from.includes(":") ? SERVER.v6 : SERVER.v4;
      const echo = "createServer((socket) => socket.on('error', () => {}).pipe(socket))";
      const listen = `require("net").${echo}.listen(25, "${from}", () => console.log("ready"))`;
      const sink = await kit.lab.attacker.spawnReady([process.execPath, "-e", listen]);
      t.after(() => sink.kill());
      const deliver = async () => {
        const connected = await kit.lab.server.connect({ from: server, to: from, port: 25 });
        return connected.ok ? connected.socket : assert.fail(connected.code);
      };
      const before = await deliver();
      const closed = once(await kit.open(from), "close");
      const asService = { from, to: server, port: PORT, timeoutMs: 400 };
      const low = await kit.lab.attacker.connect({ ...asService, fromPort: 23, timeoutMs: 10_000 });
      const lowClosed = low.ok ? once(low.socket, "close") : assert.fail(low.code);
      const network = from.includes(":") ? "2001:db8:a007::/64" : from;
      await kit.apply(["add", network]);
      assert.deepEqual(await kit.firewall.cut([net(network)]), OK);
      await Promise.all([closed, lowClosed]);
      for (const socket of [before, await deliver()]) {
        socket.write("a mail");
        assert.equal(String(await once(socket, "data")), "a mail");
        socket.destroy();
      }
      // The listener has port 25.
      assert.deepEqual(await kit.lab.attacker.connect({ ...asService, fromPort: 24 }), {
        ok: false,
        code: "ETIMEDOUT",
      });
    });

  test("an open session that was not cut is refused at its next packet", async () => {
    const session = await kit.open("198.51.100.232");
    await kit.apply(["add", "198.51.100.232"]);
    session.write("anyone there?");
    await once(session, "close");
    assert.ok((await kit.counted("refused")) > 0);
  });

  test("sessions from thousands of networks are cut in one call", async () => {
    const closed = once(await kit.open("198.51.100.233"), "close");
    const many = Array.from({ length: 2_500 }, (_, i) => net(`2001:db8:c:${i.toString(16)}::/64`));
    assert.deepEqual(await kit.firewall.cut([...many, net("198.51.100.233")]), OK);
    await closed;
  });

  test("100,000 bans are back in a second, and no other table is touched", async (t) => {
    const other = "add table inet other; add set inet other s { type ipv4_addr; elements = { 203.0.113.99 }; }";
    await kit.lab.server.mustExec(["nft", other]);
    const bans = Array.from({ length: 100_000 }, (_, i): FirewallBan => {
      const v4 = `11.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      const prefix = net(i % 2 === 0 ? v4 : `2001:db8:${i >> 16}:${(i & 0xffff).toString(16)}::/64`);
      return { prefix, expiresAt: later(kit.now(), 3_600_000 + i) };
    });
    const restored = await timed(() => kit.firewall.reset([...bans, lastingBan("198.51.100.240")], [], kit.now()));
    assert.deepEqual(restored.value, OK);
    await kit.banned("198.51.100.240");
    assert.deepEqual(await kit.firewall.check("whole"), OK);
    await kit.apply(["add", "198.51.100.241"]);
    const read = await timed(() => kit.firewall.holds([net("198.51.100.240"), net("198.51.100.241")]));
    assert.deepEqual(read.value, OK);
    const took = `100,000 bans are restored in ${restored.ms} ms, and two read back in ${read.ms} ms`;
    t.diagnostic(took);
    assert.ok(restored.ms < patience(3_000) && read.ms < patience(150), took);
    assert.match(await kit.lab.server.mustExec(["nft", "list", "table", "inet", "other"]), /203\.0\.113\.99/);
    await kit.lab.server.mustExec(["nft", "delete", "table", "inet", "other"]);
  });

  test("a reset replaces another version's table, with chains and sets that this one does not have", async () => {
    const older = [
      "add set inet ghostinbox older { type ipv4_addr; elements = { 198.51.100.243 }; }",
      "add chain inet ghostinbox doors { ip saddr @older drop; }",
      "add rule inet ghostinbox input goto doors",
    ];
    await kit.lab.server.mustExec(["nft", older.join("; ")]);
    await kit.banned("198.51.100.243");
    assert.deepEqual(await kit.firewall.reset([], [], kit.now()), OK);
    await kit.passes("198.51.100.243");
    assert.doesNotMatch(await kit.listing(), /doors|older/);
  });

  for (const vandalism of [
    "flush ruleset",
    "delete table inet ghostinbox",
    "flush table inet ghostinbox",
    "flush chain inet ghostinbox input",
    "flush chain inet ghostinbox banned",
    "flush set inet ghostinbox ban4",
    "flush set inet ghostinbox ban6",
  ])
    test(`\`nft ${vandalism}\` is noticed`, async () => {
      assert.deepEqual(await kit.firewall.check("whole"), OK);
      await kit.lab.server.mustExec(["nft", vandalism]);
      const reason = "The firewall's table was changed or removed by someone else.";
      const lost = { ok: false, reason, isLost: true };
      assert.deepEqual(await kit.firewall.check("whole"), lost);
      assert.deepEqual(await kit.firewall.check("quick"), vandalism.startsWith("flush set") ? OK : lost);
    });

  test("nft is replaced before its history grows large, and nothing is lost by it", async () => {
    const batch = (i: number) => Array.from({ length: 60 }, (_, n) => `10.${i >> 8}.${i & 255}.${n}`);
    await kit.apply(["add", "198.51.100.242"]);
    const first = await kit.pidsOfNft();
    let batches = 0;
    while (batches < 1_000 && (batches % 50 !== 49 || (await kit.pidsOfNft()) === first))
      await kit.apply(...batch(batches++).map((text) => ["add", text] as const));
    assert.notEqual(await kit.pidsOfNft(), first);
    assert.match(await kit.pidsOfNft(), /^\d+$/, "the old one has ended");
    const listing = await kit.listing();
    assert.equal(new Set(listing.match(/\b10(?:\.\d+){3}\b/g)).size, 60 * batches);
  });

  test("on loopback no program of another user can answer for the guard", async () => {
    for (const server of [ROOT, 61_017]) {
      const code = server === ROOT ? 0 : 3;
      const local = [{ port: PORT, clients: { set: "askers", users: [] }, server, address: "127.0.0.1" }] as const;
      const firewall = new NftFirewall(() => ({ ...onlyBans(64), local }), kit.able);
      assert.deepEqual(await firewall.reset([], [], kit.now()), OK);
      assert.equal(await kit.askOnLoopback(), code, `the listener is root's, and expected is ${server}`);
      await firewall.close();
    }
  });

  test("nor can it by SYN cookies, which belong to no user", async (t) => {
    const port = PORT + 1;
    const listen = `use Socket; $< = $> = 61018; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(${port}, INADDR_LOOPBACK)) or die;
      listen(S, 0); syswrite(STDOUT, "up"); while (accept(C, S)) { syswrite(C, "x"); close C }`;
    const stranger = await kit.lab.server.spawnReady(["perl", "-e", listen]);
    t.after(() => stranger.kill());
    for (const server of [61_018, ROOT]) {
      const code = server === 61_018 ? 0 : 3;
      const input = nftLocal([{ port, clients: null, server, address: "127.0.0.1" }]);
      await kit.lab.server.mustExec(["nft", "-f", "-"], { input });
      const answers = await Promise.all([1, 2, 3, 4].map(() => kit.askOnLoopback(port)));
      assert.deepEqual(answers, [code, code, code, code], `the listener is 61018's, and expected is ${server}`);
    }
  });

  test("from outside SYN cookies pass, so forged SYNs keep no one out", async (t) => {
    const port = PORT + 2;
    const address = SERVER.v4;
    const listen = `use Socket; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(${port}, inet_aton("${address}"))) or die;
      listen(S, 5); $| = 1; print "up"; sleep 60`;
    const listener = await kit.lab.server.spawnReady(["perl", "-e", listen]);
    t.after(() => listener.kill());
    const deaf = "198.51.100.246";
    const ignores = `table inet deaf { chain in { type filter hook input priority 0; ip daddr ${deaf} tcp sport ${port} drop; }; }`;
    const input = nftLocal([{ port, clients: null, server: 0, address }]);
    await kit.lab.server.mustExec(["nft", "-f", "-"], { input });
    await kit.lab.attacker.mustExec(["nft", "-f", "-"], { input: ignores });
    t.after(() => kit.lab.attacker.mustExec(["nft", "delete", "table", "inet", "deaf"]));
    const reaches = (from: string) => kit.lab.attacker.reaches({ from, to: address, port, timeoutMs: 900 });
    const halfOpen = await Promise.all(Array.from({ length: 20 }, () => reaches(deaf)));
    assert.ok(!halfOpen.includes(true));
    assert.ok(await reaches("198.51.100.247"));
  });

  test("before the guard starts no program can answer for it either, and the bans of a killed guard stay", async () => {
    const left = new NftFirewall(() => onlyBans(64), kit.able);
    assert.deepEqual(await left.reset([lastingBan("198.51.100.246")], [], kit.now()), OK);
    await left.close();
    for (const server of [61_017, ROOT]) {
      const code = server === ROOT ? 0 : 3;
      const input = nftLocal([{ port: PORT, clients: { set: "askers", users: [] }, server, address: "127.0.0.1" }]);
      await kit.lab.server.mustExec(["nft", "-f", "-"], { input });
      assert.equal(await kit.askOnLoopback(), code, `the listener is root's, and expected is ${server}`);
    }
    await kit.banned("198.51.100.246");
  });

  // Without nft: src/host/firewall/firewall.test.ts.
  test("without the capability the result is one clear sentence and no exception", async () => {
    const weak = new NftFirewall(() => onlyBans(64), kit.toolsOf("unable", AS_NOBODY));
    const lacks = { ok: false, reason: "The guard lacks CAP_NET_ADMIN, so it cannot change the firewall." };
    assert.deepEqual(await weak.reset([], [], kit.now()), lacks);
    assert.deepEqual(await weak.apply([{ id: 1, type: "add", ...lastingBan("198.51.100.245") }], kit.now()), lacks);
    assert.deepEqual(await weak.check("whole"), lacks);
    const session = await kit.open("198.51.100.246");
    const outcome = await weak.cut([net("198.51.100.246")]);
    assert.deepEqual(outcome, { ok: false, reason: "The guard lacks CAP_NET_ADMIN, so it cannot end sessions." });
    session.destroy();
    await weak.close();
  });

  test("an interrupted list of bans changes nothing: banned addresses stay banned", async () => {
    await kit.apply(["add", "198.51.100.243"]);
    function* broken(): Generator<FirewallBan> {
      for (let i = 0; i < 5_000; i++) yield lastingBan(`11.0.${i >> 8}.${i & 255}`);
      throw new Error("the disk failed");
    }
    const outcome = await kit.firewall.reset(broken(), [], kit.now());
    assert.deepEqual(outcome, { ok: false, reason: "nft failed: the disk failed." });
    await kit.banned("198.51.100.243");
    await kit.passes("198.51.100.244");
    assert.deepEqual(await kit.firewall.check("whole"), OK);
  });

  test("nft refuses a reset that is cut off anywhere, and the table stays", async () => {
    await kit.apply(["add", "198.51.100.243"]);
    const bans = Array.from({ length: 2_500 }, (_, i) => lastingBan(`11.0.${i >> 8}.${i & 255}`));
    const text = [...nftReset(planReset(bans, kit.now(), 64).fillings, [], onlyBans(64))].join("");
    const head = text.indexOf("{") + 1;
    const file = kit.lab.path("cut-off.nft");
    for (let part = 0; part < 20; part++) {
      writeFileSync(file, text.slice(0, head + Math.floor(((text.length - 3 - head) * part) / 19)));
      await assert.rejects(kit.lab.server.mustExec(["nft", "-f", file]), /syntax error/);
    }
    await kit.banned("198.51.100.243");
    assert.deepEqual(await kit.firewall.check("whole"), OK);
  });
});
