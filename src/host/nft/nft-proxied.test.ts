import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePrefix } from "../../core/net/ip.ts";
import { nftProbe, nftReset, type TableShape } from "./guard-table.ts";

const NETWORKS = ["10.0.0.5", "10.0.0.0/24", "2001:db8:5::/48"].map((text) => parsePrefix(text) ?? assert.fail(text));
const SHAPE: TableShape = {
  ipv6Length: 64,
  connections: null,
  local: [],
  proxied: { ports: [20_025, 20_993], networks: NETWORKS, users: [110] },
};
const table = (shape: TableShape): string => [...nftReset([], [], shape)].join("");

test("only proxies reach the ports that trust a PROXY header, whatever else the rules accept", () => {
  const text = table(SHAPE);
  const input = text.slice(text.indexOf("chain input")).split("\n");
  assert.match(input[2] ?? "", /^ {4}tcp dport @proxied jump from_proxies$/, "before loopback and the allow list");
  assert.match(text, /set proxied \{ type inet_service; elements = \{ 20025, 20993 \} \}\n/);
  assert.match(text, /set proxy4 \{ type ipv4_addr; flags interval; elements = \{ 10\.0\.0\.0\/24 \} \}\n/);
  assert.match(text, /set proxy6 \{ type ipv6_addr; flags interval; elements = \{ 2001:db8:5::\/48 \} \}\n/);
  assert.match(text, / {4}ip saddr @proxy4 return\n {4}ip6 saddr @proxy6 return\n {4}reject with tcp reset\n/);
});

test("on this machine only the proxy's user and root do", () => {
  const text = table(SHAPE);
  assert.match(text, /set proxy_users \{ type uid; elements = \{ 0, 110 \} \}\n/);
  assert.match(text, /oif lo tcp dport @proxied meta skuid != @proxy_users reject with tcp reset\n/);
});

test("the absence of these rules is noticed, and without proxies there are none", () => {
  for (const set of ["proxied", "proxy4", "proxy6", "proxy_users"])
    assert.match(nftProbe(SHAPE), new RegExp(`^delete set inet ghostinbox ${set}$`, "m"));
  const none = { ...SHAPE, proxied: null };
  assert.doesNotMatch(table(none) + nftProbe(none), /prox/);
});
