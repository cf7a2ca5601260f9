import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { ip, net } from "../../../test/kit/samples.ts";
import { type Ip } from "../../core/net/ip.ts";
import { originOf as originOfPeer, Peers } from "./client-address.ts";

const PROXIES = [net("10.0.0.0/8"), net("::1"), net("127.0.0.1")];
const isHere = (address: Ip): boolean => ["127.0.0.1", "::1", "10.9.9.9"].includes(address);

function originOf(peer: Ip, forwardedFor: string | null, proto: string | null, isTrusted = true) {
  return originOfPeer({ ip: peer, isTrusted, user: null }, { for: forwardedFor, proto }, PROXIES, isHere);
}

test("a stranger's forged header is ignored", () => {
  const origin = originOf(ip("203.0.113.9"), "198.51.100.1", "https", false);
  assert.deepEqual(origin, { ip: "203.0.113.9", secure: false });
});

test("a trusted proxy tells the real client", () => {
  assert.deepEqual(originOf(ip("10.1.1.1"), "203.0.113.9", "https"), { ip: "203.0.113.9", secure: true });
});

test("entries that the client wrote to the left of its address do not count", () => {
  assert.equal(originOf(ip("10.1.1.1"), "127.0.0.1, 198.51.100.1, 203.0.113.9", null).ip, "203.0.113.9");
});

test("several proxies in a row are looked through", () => {
  assert.equal(originOf(ip("::1"), "198.51.100.1, 203.0.113.9, 10.2.2.2, 10.1.1.1", null).ip, "203.0.113.9");
});

test("without a header, or with nonsense in it, the nearest known hop is the client", () => {
  assert.equal(originOf(ip("10.1.1.1"), null, null).ip, "10.1.1.1");
  assert.equal(originOf(ip("10.1.1.1"), "203.0.113.9, unknown", null).ip, "10.1.1.1");
  assert.equal(originOf(ip("10.1.1.1"), "203.0.113.9, x, 10.2.2.2", null).ip, "10.2.2.2");
});

test("no proxy is trusted by default, not even on loopback", () => {
  assert.equal(originOf(ip("127.0.0.1"), "203.0.113.9", null, false).ip, "127.0.0.1");
});

test("an IPv4-mapped peer is its IPv4 address", () => {
  assert.equal(originOf(ip("::ffff:10.1.1.1"), "2001:db8::1", null).ip, "2001:db8::1");
});

test("an address of this machine in the header is a client, not a proxy", () => {
  for (const here of ["127.0.0.1", "::1", "10.9.9.9"])
    assert.equal(originOf(ip("127.0.0.1"), `198.51.100.1, ${here}`, null).ip, here);
});

test("on this machine a proxy is known by its user, elsewhere by its address", async () => {
  let asked = 0;
  const users = new Map([
    [1, "www-data"],
    [2, "anna"],
  ]);
  const peers = new Peers({
    localClients: {
      isHere,
      userOf: ({ clientPort }) => {
        asked += 1;
        return Promise.resolve(users.get(clientPort) ?? null);
      },
    },
    settings: { trustedProxies: PROXIES, proxyUsers: ["root", "www-data"] },
  });
  const from = (remoteAddress: string, remotePort: number) => {
    const socket = Object.assign(new Socket(), {});
    for (const [name, value] of Object.entries({
      remoteAddress,
      remotePort,
      localAddress: "127.0.0.1",
      localPort: 3000,
    }))
      Object.defineProperty(socket, name, { value });
    return { socket };
  };
  const proxy = from("127.0.0.1", 1);
  for (let request = 0; request < 2; request++)
    assert.deepEqual(await peers.of(proxy), { ip: "127.0.0.1", isTrusted: true, user: "www-data" });
  assert.equal(asked, 1, "once a connection");
  assert.deepEqual(await peers.of(from("::ffff:127.0.0.1", 2)), { ip: "127.0.0.1", isTrusted: false, user: "anna" });
  assert.deepEqual(await peers.of(from("10.9.9.9", 2)), { ip: "10.9.9.9", isTrusted: false, user: "anna" });
  assert.deepEqual(await peers.of(from("127.0.0.1", 3)), { ip: "127.0.0.1", isTrusted: false, user: null });
  assert.equal(asked, 4);
  assert.deepEqual(await peers.of(from("10.1.1.1", 2)), { ip: "10.1.1.1", isTrusted: true, user: null });
  assert.deepEqual(await peers.of(from("127.0.0.2", 2)), { ip: "127.0.0.2", isTrusted: false, user: null });
  assert.equal(asked, 4, "only of what could be a proxy");
});
