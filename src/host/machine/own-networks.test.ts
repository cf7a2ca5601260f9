import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import * as fc from "fast-check";
import { ip, net } from "../../../test/kit/samples.ts";
import { contains, hostPrefix, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import {
  createOwnNetworks,
  ownNetworks,
  parseIpv4Bridges,
  parseIpv4Gateways,
  parseIpv4Local,
  parseIpv6Gateways,
  parseIpv6Local,
} from "./own-networks.ts";

test("loopback, every address of this machine and the configured proxies are its own", () => {
  const proxy = net("203.0.113.0/28");
  const inside = ip("127.9.9.9");
  const own = ownNetworks([proxy]);
  assert.ok(own.some(({ prefix, why }) => why === "loopback" && contains(prefix, inside)));
  assert.ok(own.some(({ prefix, why }) => why === "loopback" && prefix === "::1/128"));
  assert.ok(own.some(({ prefix, why }) => why === "gateway" && prefix === proxy));
  const addresses = new Set(own.flatMap(({ prefix, why }) => (why === "own_address" ? [prefix] : [])));
  for (const { address, internal } of Object.values(networkInterfaces()).flatMap((list) => list ?? []))
    assert.ok(internal || addresses.has(hostPrefix(ip(address))), address);
});

test("the answer is kept for five seconds, and for no longer when the clock is set back", () => {
  let now = 100_000;
  const networks = createOwnNetworks({ now: () => instant(now) }, []);
  const first = networks.current();
  now += 4_999;
  assert.equal(networks.current(), first);
  now += 1;
  const second = networks.current();
  assert.notEqual(second, first);
  now -= 1;
  assert.notEqual(networks.current(), second);
});

test("if a table cannot be read, the last answer stays in use; a table that the kernel lacks is empty", (t) => {
  let now = 100_000;
  let code = "ENOENT";
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const networks = createOwnNetworks({ now: () => instant(now) }, []);
  const first = networks.current();
  t.mock.method(fs, "readFileSync", () => {
    throw Object.assign(new Error(code), { code });
  });
  syncBuiltinESMExports();
  const loopback = first.filter(({ why }) => why === "loopback");
  assert.deepEqual(ownNetworks([]), loopback);
  code = "EMFILE";
  now += 5_000;
  assert.equal(networks.current(), first);
  assert.throws(() => ownNetworks([]), { code });
  assert.throws(() => createOwnNetworks({ now: () => instant(now) }, []), { code });
});

const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const row4 = (destination: string, gateway: string, flags: string, mask: string): string =>
  `eth0\t${destination}\t${gateway}\t${flags}\t0\t0\t0\t${mask}\t0\t0\t0\n`;

test("the IPv4 default gateway is read in the machine's byte order", () => {
  const table = row4("00000000", "017100CB", "0003", "00000000") + row4("007100CB", "00000000", "0001", "00FFFFFF");
  assert.deepEqual(parseIpv4Gateways(HEAD + table, "LE"), ["203.0.113.1"]);
  assert.deepEqual(parseIpv4Gateways(`${HEAD}eth0 00000000 CB007101 0003 0 0 0 00000000 0 0 0`, "BE"), ["203.0.113.1"]);
});

test("a route that is down, not the default, or without a gateway yields no gateway", () => {
  for (const line of [
    "eth0 00000000 017100CB 0002 0 0 0 00000000 0 0 0",
    "eth0 00000000 00000000 0001 0 0 0 00000000 0 0 0",
    "eth0 006433C6 017100CB 0003 0 0 0 00FFFFFF 0 0 0",
    "eth0 00000000 017100C 0003 0 0 0 00000000 0 0 0",
    "",
  ])
    assert.deepEqual(parseIpv4Gateways(HEAD + line, "LE"), [], line);
});

test("the first address of each private network that a device is in may be a container's bridge", () => {
  const table =
    row4("00000000", "010011AC", "0003", "00000000") +
    row4("000011AC", "00000000", "0001", "0000FFFF") +
    row4("0005A8C0", "00000000", "0001", "00FFFFFF") +
    row4("007100CB", "00000000", "0001", "00FFFFFF") +
    row4("0006A8C0", "0105A8C0", "0003", "00FFFFFF") +
    row4("0007A8C0", "00000000", "0000", "00FFFFFF") +
    row4("nonsense", "00000000", "0001", "00FFFFFF");
  assert.deepEqual(parseIpv4Bridges(HEAD + table, "LE"), ["172.17.0.1", "192.168.5.1"]);
  assert.deepEqual(parseIpv4Bridges(row4("C0A80500", "00000000", "0001", "FFFFFF00"), "BE"), ["192.168.5.1"]);
});

test("the IPv6 default gateway is read; unreachable defaults and other routes are not", () => {
  const zero = "0".repeat(32);
  const gateway = "20010db8001000000000000000000001";
  const row = (destination: string, length: string, next: string, flags: string): string =>
    `${destination} ${length} ${zero} 00 ${next} 00000400 00000002 00000000 ${flags}     eth0\n`;
  assert.deepEqual(parseIpv6Gateways(row(zero, "00", gateway, "00000003")), ["2001:db8:10::1"]);
  const linkLocal = row(zero, "00", "fe80000000000000021122fffe334455", "00450003");
  assert.deepEqual(parseIpv6Gateways(linkLocal), ["fe80::211:22ff:fe33:4455"]);
  for (const table of [
    row(zero, "00", zero, "00200200"),
    row(zero, "00", zero, "00000003"),
    row(zero, "40", gateway, "00000003"),
    row(gateway, "00", gateway, "00000003"),
    "",
  ])
    assert.deepEqual(parseIpv6Gateways(table), [], table);
});

test("own IPv4 addresses are the local routes, once each, including networks", () => {
  const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
           |-- 203.0.113.0
              /24 link UNICAST
              /26 host LOCAL
           |-- 203.0.113.10
              /32 host LOCAL
Local:
           |-- 203.0.113.10
              /32 host LOCAL
`;
  assert.deepEqual(parseIpv4Local(trie), ["127.0.0.0/8", "127.0.0.1/32", "203.0.113.0/26", "203.0.113.10/32"]);
});

test("own IPv6 addresses are those of every interface", () => {
  const table =
    "00000000000000000000000000000001 01 80 10 80       lo\n" +
    "20010db8001000000000000000000010 02 40 00 80     eth0\n" +
    "20010db8001000000000000000000099 02 40 00 a1     eth0\n";
  assert.deepEqual(parseIpv6Local(table), ["::1", "2001:db8:10::10", "2001:db8:10::99"]);
  assert.deepEqual(parseIpv6Local(table, 0x20), ["2001:db8:10::99"], "deprecated");
});

test("whatever the kernel prints, the answer is a list of addresses", () => {
  const near = "00000000 0003 017100CB 00 |-- 127.0.0.1".split(" ");
  const word = fc.oneof(fc.string(), fc.constantFrom(...near, "0".repeat(32), "f".repeat(32), "/32 host LOCAL"));
  const table = fc
    .array(fc.array(word, { maxLength: 12 }), { maxLength: 5 })
    .map((rows) => rows.map((row) => row.join(" ")).join("\n"));
  fc.assert(
    fc.property(table, fc.constantFrom("LE", "BE"), (text, order) => {
      const v4 = [...parseIpv4Gateways(text, order), ...parseIpv4Bridges(text, order)];
      for (const ip of [...v4, ...parseIpv6Gateways(text), ...parseIpv6Local(text)]) assert.equal(parseIp(ip), ip);
      for (const network of parseIpv4Local(text)) assert.equal(parsePrefix(network), network);
    }),
    { numRuns: 500, seed: 7 },
  );
});
