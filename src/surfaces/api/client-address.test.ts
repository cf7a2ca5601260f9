import assert from "node:assert/strict";
import { request } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { bearer, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { PASSWORD, tokenNamed } from "../../../test/kit/fake-guard.ts";
import { ip, NOON, net } from "../../../test/kit/samples.ts";
import type { Ip, Prefix } from "../../core/net/ip.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import type { LocalConnection } from "../../host/kernel/tcp-sockets.ts";
import { clientOf as clientOfPeer, createPeers, isOwnName, UntrustedProxy } from "./client-address.ts";

const PROXIES = [net("10.0.0.0/8"), net("::1"), net("127.0.0.1")];
const isHere = (address: Ip): boolean => ["127.0.0.1", "::1", "10.9.9.9"].includes(address);

function clientOf(peer: string, forwardedFor: string | null, proto: string | null, isTrusted = true) {
  return clientOfPeer({ ip: ip(peer), isTrusted, user: null }, { for: forwardedFor, proto }, PROXIES, isHere);
}

test("headers of an untrusted peer are ignored, even on loopback", () => {
  assert.deepEqual(clientOf("203.0.113.9", "198.51.100.1", "https", false), { ip: "203.0.113.9", secure: false });
  assert.equal(clientOf("127.0.0.1", "203.0.113.9", null, false).ip, "127.0.0.1");
});

test("behind trusted proxies the client is the nearest address that is not one of them", () => {
  assert.deepEqual(clientOf("10.1.1.1", "203.0.113.9", "https"), { ip: "203.0.113.9", secure: true });
  assert.equal(clientOf("10.1.1.1", "203.0.113.9", "https, http").secure, false, "the client wrote the first");
  for (const [what, peer, header, client] of [
    ["written by the client", "10.1.1.1", "127.0.0.1, 198.51.100.1, 203.0.113.9", "203.0.113.9"],
    ["several proxies", "::1", "198.51.100.1, 203.0.113.9, 10.2.2.2, 10.1.1.1", "203.0.113.9"],
    ["an IPv4-mapped peer", "::ffff:10.1.1.1", "2001:db8::1", "2001:db8::1"],
    ["no header", "10.1.1.1", null, "10.1.1.1"],
    ["nonsense", "10.1.1.1", "203.0.113.9, unknown", "10.1.1.1"],
    ["nonsense before a proxy", "10.1.1.1", "203.0.113.9, x, 10.2.2.2", "10.2.2.2"],
    ["an address of this machine", "127.0.0.1", "198.51.100.1, 127.0.0.1", "127.0.0.1"],
    ["its IPv6 loopback", "127.0.0.1", "198.51.100.1, ::1", "::1"],
    ["its own address in a trusted network", "127.0.0.1", "198.51.100.1, 10.9.9.9", "10.9.9.9"],
  ] as const)
    assert.equal(clientOf(peer, header, null).ip, client, what);
});

test("a proxy is recognized by its user on this machine, and by its address elsewhere", async (t) => {
  const users: Readonly<Record<number, string>> = { 1: "www-data", 2: "anna" };
  const userOf = t.mock.fn(({ clientPort }: LocalConnection) => Promise.resolve(users[clientPort] ?? null));
  const peers = createPeers({
    localClients: { isHere, userOf },
    settings: { trustedProxies: PROXIES, proxyUsers: ["root", "www-data"] },
  });
  const from = (remoteAddress: string, remotePort: number) => {
    const socket = new Socket();
    const ends = { remoteAddress, remotePort, localAddress: "127.0.0.1", localPort: 3000 };
    for (const [name, value] of Object.entries(ends)) Object.defineProperty(socket, name, { value });
    return { socket };
  };
  const proxy = from("127.0.0.1", 1);
  for (let request = 0; request < 2; request++)
    assert.deepEqual(await peers(proxy), { ip: "127.0.0.1", isTrusted: true, user: "www-data" });
  assert.equal(userOf.mock.callCount(), 1, "once a connection");
  assert.deepEqual(await peers(from("::ffff:127.0.0.1", 2)), { ip: "127.0.0.1", isTrusted: false, user: "anna" });
  assert.deepEqual(await peers(from("10.9.9.9", 2)), { ip: "10.9.9.9", isTrusted: false, user: "anna" });
  assert.deepEqual(await peers(from("127.0.0.1", 3)), { ip: "127.0.0.1", isTrusted: false, user: null });
  assert.equal(userOf.mock.callCount(), 4);
  assert.deepEqual(await peers(from("fe80::1%eth0", 2)), { ip: "fe80::1", isTrusted: false, user: null });
  assert.deepEqual(await peers(from("10.1.1.1", 2)), { ip: "10.1.1.1", isTrusted: true, user: null });
  assert.deepEqual(await peers(from("127.0.0.2", 2)), { ip: "127.0.0.2", isTrusted: false, user: null });
  assert.equal(userOf.mock.callCount(), 4, "only of what could be a proxy");
});

const PROXY = ip("10.0.0.5");
const by = (peer: Ip) => ({ ip: peer, user: null });
const CLIENT = "198.51.100.7";

test("an unnamed proxy is reported for a while, with the time of its first request", () => {
  const proxies = new UntrustedProxy();
  proxies.observe(by(PROXY), PROXY, CLIENT, NOON);
  proxies.observe(by(PROXY), PROXY, CLIENT, later(NOON, 5 * MINUTE_MS));
  const [reported] = proxies.notices(later(NOON, 14 * MINUTE_MS));
  assert.equal(reported?.code, "proxy_not_trusted");
  assert.equal(reported?.since, "2026-11-20T12:00:00.000Z");
  assert.match(reported?.detail ?? "", /came from 10\.0\.0\.5$/);
  assert.deepEqual(proxies.notices(later(NOON, 15 * MINUTE_MS)), []);
  assert.deepEqual(proxies.notices(later(NOON, -15 * MINUTE_MS)), [], "the clock was set back");
});

test("a stranger's header, a trusted proxy's and one without another address are not reported", () => {
  const stranger = ip("203.0.113.9");
  for (const [peer, client, header] of [
    [stranger, stranger, CLIENT],
    [PROXY, ip(CLIENT), CLIENT],
    [PROXY, PROXY, null],
    [PROXY, PROXY, "10.0.0.5"],
    [PROXY, PROXY, "<script>"],
  ] as const) {
    const proxies = new UntrustedProxy();
    proxies.observe(by(peer), client, header, NOON);
    assert.deepEqual(proxies.notices(NOON), [], `${peer} ${header}`);
  }
});

test("the API's status reports an untrusted proxy until it is trusted", async (t) => {
  const loopback = net("127.0.0.1");
  const codes = async (trustedProxies: readonly Prefix[], proxyUsers = ["www-data"]) => {
    const { url } = await startKit(t, { trustedProxies, proxyUsers });
    return (await fetch(`${url}/api/v1/status`, { headers: { ...bearer, "x-forwarded-for": CLIENT } })).text();
  };
  assert.match(await codes([]), /"code":"proxy_not_trusted"/);
  assert.doesNotMatch(await codes([loopback]), /proxy_not_trusted/);
  assert.match(await codes([loopback], []), /came from 127\.0\.0\.1, from a program of the user www-data"/);
});

test("requests of strangers, mailbox users and viewers are not reported: the notice says to trust the sender", async (t) => {
  const kit = await startKit(t, { trustedProxies: [] });
  const { url } = kit;
  const forged = { "x-forwarded-for": CLIENT };
  await fetch(`${url}/healthz/live`, { headers: forged });
  await fetch(`${url}/api/v1/status`, { headers: { ...forged, authorization: "Bearer gi_wrong" } });
  const cookie = await signIn(kit, "anna@example.org");
  assert.equal((await fetch(`${url}/api/v1/me`, { headers: { ...forged, cookie } })).status, 200);
  const viewers = "gi_of_a_monitoring_page";
  kit.guard.callers.set(viewers, tokenNamed("page", ["read"]));
  const viewed = await fetch(`${url}/api/v1/status`, { headers: { ...forged, authorization: `Bearer ${viewers}` } });
  assert.equal(viewed.status, 200);
  assert.doesNotMatch(await (await fetch(`${url}/api/v1/status`, { headers: bearer })).text(), /proxy_not_trusted/);
});

const NAMES = ["mx.example.org", "example.net"];

test("a name is ours if the settings have it or a parent of it; any address and any name without a dot are ours", () => {
  for (const host of ["127.0.0.1:3000", "[::1]:3000", "203.0.113.7", "localhost", "localhost:3000", "mailbox:3000"])
    assert.ok(isOwnName(host, []), host);
  for (const host of ["mx.example.org", "MX.Example.ORG:443", "example.net.", "dashboard.example.net"])
    assert.deepEqual([isOwnName(host, NAMES), isOwnName(host, ["example.com"])], [true, false], host);
  const suffixed = ["badexample.net", "example.net.evil.example", "127.0.0.1.evil.example", "example.net@evil.example"];
  for (const host of [null, "", "evil.example", "example.org", "exa mple", ...suffixed])
    assert.ok(!isOwnName(host, NAMES), String(host));
});

test("under another name no one can sign in or use a session; tokens and health checks still work", async (t) => {
  const kit = await startKit(t, { names: NAMES });
  const cookie = await signIn(kit);
  const ask = (method: string, path: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = request(`${kit.url}${path}`, { method, headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sent.on("error", reject);
      sent.end(method === "POST" ? JSON.stringify({ password: PASSWORD }) : undefined);
    });
  for (const [host, status] of Object.entries({ "evil.example:3000": 403, "mx.example.org": 200 })) {
    assert.equal(await ask("POST", "/api/v1/login", { host, origin: `http://${host}` }), status);
    assert.equal(await ask("GET", "/api/v1/session", { host, cookie }), status);
    assert.equal(await ask("GET", "/api/v1/session", { host, ...bearer }), 200);
    assert.equal(await ask("GET", "/healthz/live", { host }), 200);
  }
});
