import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { prefixOf } from "../../src/core/net/ip.ts";
import { createConnectionWatch } from "../../src/guard/enforce/connection-watch.ts";
import { NftFirewall } from "../../src/host/firewall/firewall.ts";
import { onlyBans } from "../../src/host/firewall/guard-table.ts";
import { createKernelConnections } from "../../src/host/firewall/open-connections.ts";
import { net } from "../kit/samples.ts";
import { type FirewallLab, OK, PORT, UNITS } from "./firewall-kit.ts";
import { SERVER } from "./network.ts";
import { fallSilent, sendSyns } from "./spoof.ts";
import { timed, until } from "./wait.ts";

const MOST = 3;
const MOST_KNOWN = 5;
const SHARE = 8;
/** Addresses of the attacker's host, except OWNER, which is behind a router that answers no unsolicited packets. */
const STRANGER = "198.51.100.210";
const KNOWN = "198.51.100.230";
const OWNER = "198.51.100.70";

export function openConnectionsTests(kitOf: () => FirewallLab): void {
  let kit: FirewallLab;
  let firewall: NftFirewall;
  let kernel: ReturnType<typeof createKernelConnections>;
  let watch: ReturnType<typeof createConnectionWatch>;
  let sockets: Socket[];
  const warnings: string[] = [];
  before(async () => {
    kit = kitOf();
    kernel = createKernelConnections({ path: kit.able, proc: kit.proc });
    await fallSilent(kit.lab.sender);
    const connections = { most: MOST, ports: [PORT], perPort: false };
    firewall = new NftFirewall(() => ({ ...onlyBans(64), connections }), kit.able);
  });
  beforeEach(async () => {
    sockets = [];
    assert.deepEqual(await firewall.reset([], [net("198.51.100.200")], kit.now()), OK);
    watch = createConnectionWatch({
      kernel,
      rules: () => ({
        most: MOST,
        mostKnown: MOST_KNOWN,
        perPort: false,
        ports: [PORT],
        places: new Map(),
        shares: new Map([[PORT, SHARE]]),
        prefixOf: (ip) => prefixOf(ip, 64),
        isKnown: (prefix) => prefix === net(KNOWN),
        isExempt: (ip) => ip === "198.51.100.200",
      }),
      ports: () => [PORT],
      known: () => [net(KNOWN)],
      room: { plan: () => Promise.resolve({ isCrowded: false, end: [], refused: [] }) },
      log: { info: () => {}, warn: (message) => warnings.push(message), error: () => {} },
    });
    await watch.look();
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await watch.stop();
    assert.deepEqual(warnings, []);
    const hasEnded = async (): Promise<boolean> => {
      const left = await kernel.connections([PORT]);
      // A connection opened by a SYN cookie may have missed its client's end, and would stay open.
      await kernel.end(left);
      return left.length === 0;
    };
    // The kernel answers a SYN for 63 s (tcp_synack_retries) before it gives up.
    await until("no client is connected", hasEnded, 120_000);
  });
  after(() => firewall.close());

  async function open(from: string): Promise<Socket> {
    const socket = await kit.open(from);
    sockets.push(socket);
    return socket;
  }
  const refused = (from: string) => kit.refused(from);
  const openMany = (addresses: readonly string[]): Promise<readonly Socket[]> => Promise.all(addresses.map(open));
  const times = (from: string, count: number): readonly string[] => Array.from({ length: count }, () => from);

  for (const [what, addresses, other] of UNITS)
    test(`${what} may hold ${MOST}, and another once one is closed`, async () => {
      const [first] = await openMany(addresses.slice(0, MOST));
      await watch.look();
      const [last = ""] = addresses.slice(MOST);
      await refused(last);
      await refused(last);
      await open(other);
      first?.end();
      await until("there is room again", async () => {
        await watch.look();
        return open(last).catch(() => null);
      });
    });

  test("the kernel's number of sockets is exact: the one that listens, and one for each connection", async () => {
    const isSo = (count: number) => until(`there are ${count}`, async () => (await kernel.sockets()) === count);
    await isSo(1);
    await openMany([STRANGER, STRANGER, "2001:db8:a000:1::1"]);
    await isSo(4);
  });

  test("of connections that came between two looks, those beyond the limit are ended; older ones are not", async () => {
    const held = await openMany(times(STRANGER, MOST));
    await watch.look();
    await kit.lab.server.mustExec(["nft", "flush", "set", "inet", "ghostinbox", "refused4"]);
    const late = await openMany(times(STRANGER, 4));
    const ended = Promise.all(late.map((socket) => new Promise((done) => socket.once("close", done))));
    await watch.look();
    await ended;
    assert.ok(held.every((socket) => !socket.destroyed));
  });

  test("an address that accounts know may hold more connections, and one on the allow list any number", async () => {
    await openMany(times(KNOWN, MOST_KNOWN));
    await openMany(times("198.51.100.200", 2 * MOST));
    await watch.look();
    await refused(KNOWN);
    await open("198.51.100.200");
  });

  test("when strangers hold their share, addresses that accounts know still get in", async () => {
    await openMany([211, 212, 213, 214].flatMap((host) => times(`198.51.100.${host}`, 2)));
    await watch.look();
    await refused("198.51.100.215");
    await refused("2001:db8:a000:2::1");
    await openMany(times(KNOWN, MOST_KNOWN));
  });

  test("SYNs with forged addresses lock no one out, and fill nothing", async () => {
    await sendSyns(kit.lab.attacker, { to: SERVER.v4, port: PORT, from: OWNER, count: 40 });
    await sendSyns(kit.lab.attacker, { to: SERVER.v4, port: PORT, from: "*", count: 3_000 });
    await watch.look();
    for (let i = 0; i < 10; i++) {
      const connected = await kit.lab.sender.connect({ from: OWNER, to: SERVER.v4, port: PORT });
      assert.ok(connected.ok, `connection ${i}: ${connected.ok ? "" : connected.code}`);
      connected.socket.destroy();
    }
    const table = await kit.listing();
    for (const set of ["open4", "refused4", "full"])
      assert.doesNotMatch(table, new RegExp(`set ${set} \\{[^}]*elements`), `${set} is empty`);
  });

  test("the same SYNs do lock the owner out when only the kernel counts", async () => {
    await watch.stop();
    await sendSyns(kit.lab.attacker, { to: SERVER.v4, port: PORT, from: OWNER, count: 2 * MOST });
    const connected = await kit.lab.sender.connect({ from: OWNER, to: SERVER.v4, port: PORT });
    assert.deepEqual(connected, { ok: false, code: "ECONNREFUSED" });
  });

  test("each new connection is reported once, and neither that nor an order reads the bans", async (t) => {
    const address = (i: number) => net(`11.0.${i >> 8}.${i & 255}`);
    const bans = Array.from({ length: 50_000 }, (_, i) => ({ prefix: address(i), expiresAt: null }));
    assert.deepEqual(await firewall.reset(bans, [], kit.now()), OK);
    await open(STRANGER);
    const passed = await timed(() => kernel.passed([PORT]));
    const sent = await timed(() => kernel.sendOrders({ watched: [PORT], refused: [], full: [], known: [] }, 15));
    const listed = await timed(() => kit.listing());
    t.diagnostic([passed, sent, listed].map(({ ms }) => `${ms} ms`).join(", "));
    assert.deepEqual([sent.value, passed.value.get(PORT)], [OK, { offered: 1, arrived: 1 }]);
    assert.deepEqual((await kernel.passed([PORT])).get(PORT), { offered: 0, arrived: 0 });
    await assert.rejects(kernel.passed([PORT, 9]), /No such file/, "missing counters don't mean no attempts");
    assert.ok(Math.max(passed.ms, sent.ms) < listed.ms / 4);
  });

  test("once the guard is gone the kernel counts", async () => {
    await watch.stop();
    await kernel.passed([PORT]);
    await openMany(times(STRANGER, MOST));
    await refused(STRANGER);
    const passed = (await kernel.passed([PORT])).get(PORT);
    // Connections that the kernel refuses do not count as lost behind our rules.
    assert.deepEqual(passed, { offered: MOST, arrived: MOST });
  });
}
