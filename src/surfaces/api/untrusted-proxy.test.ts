import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, startKit } from "../../../test/kit/api-kit.ts";
import { ip, NOON } from "../../../test/kit/samples.ts";
import { type Ip, type Prefix, parsePrefix } from "../../core/net/ip.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { UntrustedProxy } from "./client-address.ts";

const PROXY = ip("10.0.0.5");
const by = (peer: Ip, user: string | null = null) => ({ ip: peer, user });
const CLIENT = "198.51.100.7";

test("an unnamed proxy is reported for a while, with the time of its first request", () => {
  const proxies = new UntrustedProxy();
  proxies.saw(by(PROXY), PROXY, CLIENT, NOON);
  proxies.saw(by(PROXY), PROXY, CLIENT, later(NOON, 5 * MINUTE_MS));
  const [reported] = proxies.notices(later(NOON, 14 * MINUTE_MS));
  assert.equal(reported?.code, "proxy_not_trusted");
  assert.equal(reported?.since, "2026-11-20T12:00:00.000Z");
  assert.match(reported?.detail ?? "", /came from 10\.0\.0\.5$/);
  assert.deepEqual(proxies.notices(later(NOON, 15 * MINUTE_MS)), []);
});

test("two proxies by turns are each reported with the time of their first request", () => {
  const proxies = new UntrustedProxy();
  const other = ip("10.0.0.6");
  for (let minute = 0; minute < 6; minute++) {
    const peer = minute % 2 === 0 ? PROXY : other;
    proxies.saw(by(peer), peer, CLIENT, later(NOON, minute * MINUTE_MS));
  }
  const [reported, ...more] = proxies.notices(later(NOON, 6 * MINUTE_MS));
  assert.match(reported?.detail ?? "", /came from 10\.0\.0\.6$/);
  assert.equal(reported?.since, "2026-11-20T12:01:00.000Z");
  assert.deepEqual(more, []);
});

test("the notice names the user of a proxy on this machine", () => {
  const proxies = new UntrustedProxy();
  const here = ip("127.0.0.1");
  proxies.saw(by(here, "anna"), here, CLIENT, NOON);
  assert.match(proxies.notices(NOON)[0]?.detail ?? "", /came from 127\.0\.0\.1, from a program of the user anna$/);
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
    proxies.saw(by(peer), client, header, NOON);
    assert.deepEqual(proxies.notices(NOON), [], `${peer} ${header}`);
  }
});

test("the API's status tells it, and no more once the proxy is trusted", async (t) => {
  const loopback = parsePrefix("127.0.0.1/32") ?? assert.fail();
  const codes = async (trustedProxies: readonly Prefix[], proxyUsers = ["www-data"]) => {
    const { url } = await startKit(t, { trustedProxies, proxyUsers });
    const headers = { ...bearer, "x-forwarded-for": CLIENT };
    return (await fetch(`${url}/api/v1/status`, { headers })).text();
  };
  assert.match(await codes([]), /"code":"proxy_not_trusted"/);
  assert.doesNotMatch(await codes([loopback]), /proxy_not_trusted/);
  assert.match(await codes([loopback], []), /of the user www-data/);
});

test("requests of strangers before a sign-in are not reported: the notice says to trust the sender", async (t) => {
  const { url } = await startKit(t);
  const forged = { "x-forwarded-for": CLIENT };
  await fetch(`${url}/healthz`, { headers: forged });
  await fetch(`${url}/api/v1/status`, { headers: { ...forged, authorization: "Bearer gi_wrong" } });
  const status = await fetch(`${url}/api/v1/status`, { headers: bearer });
  assert.doesNotMatch(await status.text(), /proxy_not_trusted/);
});
