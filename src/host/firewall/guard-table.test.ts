import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { planReset, planSteps } from "../../core/firewall/plan-firewall.ts";
import { DAY_MS, instant, later } from "../../core/time.ts";
import { isWhole, nftApply, nftLocal, nftProbe, nftReset, onlyBans, type TableShape } from "./guard-table.ts";

const NOW = instant(1_000_000_000_000);
const BANS_ALONE = onlyBans(64);
const CONNECTIONS = { most: 10, ports: [25, 993], perPort: true };
const COUNTING: TableShape = { ...onlyBans(56), connections: CONNECTIONS };
/** The shape for a kernel without nft_connlimit. */
const UNCOUNTED: TableShape = { ...COUNTING, connections: { ...CONNECTIONS, kernelCounts: false } };

test("a reset replaces our table, and only ours, in one transaction", () => {
  const plan = planReset(
    [
      { prefix: net("203.0.113.7"), expiresAt: later(NOW, 90_500) },
      { prefix: net("203.0.113.8"), expiresAt: null },
      { prefix: net("2001:db8:1:2::/64"), expiresAt: later(NOW, 3_650 * DAY_MS) },
      { prefix: net("2001:db8::9"), expiresAt: null },
      { prefix: net("198.51.100.0/24"), expiresAt: null },
      { prefix: net("2001:db8:8000::/33"), expiresAt: later(NOW, 1) },
    ],
    NOW,
    64,
  );
  const allow = ["127.0.0.1", "127.0.0.0/8", "::1"].map(net);
  assert.equal(
    [...nftReset(plan.fillings, allow, BANS_ALONE)].join(""),
    `add table inet ghostinbox
delete table inet ghostinbox
table inet ghostinbox {
  counter dropped { }
  counter refused { }
  set allow4 { type ipv4_addr; flags interval; elements = { 127.0.0.0/8 } }
  set allow6 { type ipv6_addr; flags interval; elements = { ::1/128 } }
  set ban4 { type ipv4_addr; flags timeout; elements = { 255.255.255.255 } }
  set ban6 { type ipv6_addr; flags timeout; elements = { ff00:: } }
  set ban6_host { type ipv6_addr; flags timeout; elements = { ff00:: } }
  set net4 { type ipv4_addr; flags interval, timeout; }
  set net6 { type ipv6_addr; flags interval, timeout; }
  set ban4 { type ipv4_addr; flags timeout; elements = { 203.0.113.7 timeout 0d0h1m31s, 203.0.113.8 } }
  set ban6 { type ipv6_addr; flags timeout; elements = { 2001:db8:1:2:: timeout 3650d0h0m0s } }
  set ban6_host { type ipv6_addr; flags timeout; elements = { 2001:db8::9 } }
  set net4 { type ipv4_addr; flags interval, timeout; elements = { 198.51.100.0/24 } }
  set net6 { type ipv6_addr; flags interval, timeout; elements = { 2001:db8:8000::/33 timeout 0d0h0m1s } }
  chain banned {
    tcp sport 1-1023 tcp dport >= 32768 tcp flags & (syn | ack) != syn accept
    udp sport { 53, 123 } udp dport >= 1024 accept
    tcp flags & (syn | ack | rst) == ack limit rate 200/second counter name refused reject with tcp reset
    counter name dropped drop
  }
  chain input {
    type filter hook input priority filter - 10; policy accept;
    iif lo accept
    icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
    ip saddr @allow4 accept
    ip6 saddr @allow6 accept
    ip saddr @ban4 goto banned
    ip6 saddr & ffff:ffff:ffff:ffff:0:0:0:0 @ban6 goto banned
    ip6 saddr @ban6_host goto banned
    ip saddr @net4 goto banned
    ip6 saddr @net6 goto banned
  }
}
`,
  );
});

test("packets that pass other programs' rules are counted by port, except those from this machine", () => {
  const lines = tableOf(COUNTING).split("\n");
  for (const name of ["offered_25", "arrived_25", "offered_993", "arrived_993"])
    assert.ok(lines.includes(`  counter ${name} { }`), name);
  const arrival = lines.indexOf("  chain arrival {");
  assert.deepEqual(lines.slice(arrival + 1, arrival + 6), [
    "    type filter hook input priority 300; policy accept;",
    "    iif lo accept",
    "    tcp dport 25 tcp flags & (fin | syn | rst | ack) == syn counter name arrived_25",
    "    tcp dport 993 tcp flags & (fin | syn | rst | ack) == syn counter name arrived_993",
    "  }",
  ]);
});

test("at a full port, only known addresses may still connect", () => {
  const lines = tableOf(COUNTING).split("\n");
  for (const but of ["ip saddr != @known4", "ip6 saddr & ffff:ffff:ffff:ff00:0:0:0:0 != @known6"])
    assert.ok(lines.includes(`    tcp dport @full ${but} reject with tcp reset`), but);
});

test("a user with many connections to this machine's own port is refused, but not root or a proxy's user", () => {
  const here = [{ port: 3000, most: 99, of: "each user", spared: [33] }] as const;
  const text = tableOf({ ...COUNTING, connections: { ...CONNECTIONS, here } });
  assert.match(text, /oif lo tcp dport 3000 .* meta skuid != \{ 0, 33 \} add @open_users .* over 99 \} reject/);
});

test("IPv6 clients are refused by prefix, or one by one where their prefix contains a protected address", () => {
  for (const source of ["ip6 saddr & ffff:ffff:ffff:ff00:0:0:0:0", "ip6 saddr"])
    assert.ok(tableOf(COUNTING).includes(`    ${source} . tcp dport @refused6 reject with tcp reset\n`), source);
});

test("the mask is as long as the prefix of IPv6 bans", () => {
  for (const [length, mask] of [
    [48, "ffff:ffff:ffff:0:0:0:0:0"],
    [56, "ffff:ffff:ffff:ff00:0:0:0:0"],
    [61, "ffff:ffff:ffff:fff8:0:0:0:0"],
    [128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ] as const)
    assert.ok(tableOf(onlyBans(length)).includes(`ip6 saddr & ${mask} @ban6`), mask);
});

test("steps become one line: refreshed by add, delete, add; lifted by add, delete; networks rebuilt", () => {
  const held = planReset([{ prefix: net("198.51.100.0/24"), expiresAt: null }], NOW, 64).networks;
  const { changes } = planSteps(
    held,
    [
      { type: "add", prefix: net("203.0.113.7"), expiresAt: later(NOW, 7_200_000) },
      { type: "delete", prefix: net("203.0.113.8") },
      { type: "delete", prefix: net("2001:db8:1:2::/64") },
      { type: "delete", prefix: net("198.51.100.0/24") },
      { type: "add", prefix: net("2001:db8::/32"), expiresAt: null },
    ],
    NOW,
    64,
  );
  assert.deepEqual(nftApply(changes).split("; "), [
    "add element inet ghostinbox ban4 { 203.0.113.7, 203.0.113.8 }",
    "delete element inet ghostinbox ban4 { 203.0.113.7, 203.0.113.8 }",
    "add element inet ghostinbox ban4 { 203.0.113.7 timeout 0d2h0m0s }",
    "add element inet ghostinbox ban6 { 2001:db8:1:2:: }",
    "delete element inet ghostinbox ban6 { 2001:db8:1:2:: }",
    "flush set inet ghostinbox net4",
    "flush set inet ghostinbox net6",
    "add element inet ghostinbox net6 { 2001:db8::/32 }",
  ]);
  assert.equal(nftApply([]), "");
});

test("no command ever names another table", () => {
  const all = [...nftReset([], [net("::1")], COUNTING), nftProbe(COUNTING, "whole"), nftLocal(LOCAL.local)].join("");
  for (const line of all.split("\n").filter((text) => /^(add|delete|flush|create|table|reset|list)\b/.test(text)))
    assert.match(line, /^(?:\w+ )?(?:set |table |chain |element |counter |counters table )?inet ghostinbox\b/, line);
});

test("the table is complete if every command of the probe was refused as expected", () => {
  const busy = "Error: Could not process rule: Device or resource busy\ndelete set inet ghostinbox ban4\n";
  const exists = "Error: Could not process rule: File exists\n";
  for (const [shape, sets] of [
    [BANS_ALONE, 7],
    [COUNTING, 15],
    [UNCOUNTED, 12],
  ] as const) {
    assert.equal(nftProbe(shape, "whole").match(/^delete set/gm)?.length, sets);
    const used = sets + 2;
    assert.equal(nftProbe(shape, "whole").match(/^delete counter/gm)?.length, 2);
    assert.equal(isWhole(busy.repeat(used) + exists.repeat(3), shape, "whole"), true);
    assert.equal(isWhole(busy.repeat(used) + exists.repeat(2), shape, "whole"), false);
    assert.equal(isWhole(busy.repeat(used - 1) + exists.repeat(3), shape, "whole"), false);
    assert.equal(isWhole("Error: No such file or directory\n", shape, "whole"), false);
    assert.equal(isWhole("", shape, "whole"), false);
    assert.doesNotMatch(nftProbe(shape, "quick"), /element/, "nft would read the interval sets");
    assert.equal(isWhole(busy.repeat(used), shape, "quick"), true);
    assert.equal(isWhole(busy.repeat(used - 1), shape, "quick"), false);
  }
});

/** The table without a ban or an allowed address. */
function tableOf(shape: TableShape): string {
  return [...nftReset([], [], shape)].join("");
}

const NETWORKS = ["10.0.0.5", "10.0.0.0/24", "2001:db8:5::/48"].map(net);
const SHAPE: TableShape = { ...BANS_ALONE, proxied: { ports: [325, 393], networks: NETWORKS, users: [110] } };

test("only proxies reach the ports that trust a PROXY header, whatever else the rules accept", () => {
  const text = tableOf(SHAPE);
  const input = text.slice(text.indexOf("chain input")).split("\n");
  assert.match(input[2] ?? "", /^ {4}tcp dport @proxied jump from_proxies$/, "before loopback and the allow list");
  assert.match(text, /set proxied \{ type inet_service; elements = \{ 325, 393 \} \}\n/);
  assert.match(text, /set proxy4 \{ type ipv4_addr; flags interval; elements = \{ 10\.0\.0\.0\/24 \} \}\n/);
  assert.match(text, /set proxy6 \{ type ipv6_addr; flags interval; elements = \{ 2001:db8:5::\/48 \} \}\n/);
  assert.match(text, / {4}ip saddr @proxy4 return\n {4}ip6 saddr @proxy6 return\n {4}reject with tcp reset\n/);
  // On this machine: the proxy's user, and root.
  assert.match(text, /set proxy_users \{ type uid; elements = \{ 0, 110 \} \}\n/);
  assert.match(text, /oif lo tcp dport @proxied meta skuid != @proxy_users reject with tcp reset\n/);
});

const LOCAL: TableShape = {
  ...BANS_ALONE,
  local: [
    { port: 10_025, clients: { set: "askers", users: [105] }, server: 104, address: "127.0.0.1" },
    { port: 10_026, clients: { set: "sieve_senders", users: [106] }, server: null, address: "127.0.0.1" },
  ],
};
const RESOLVER: TableShape = { ...BANS_ALONE, resolver: { address: "127.71.9.53", users: new Set([104]) } };

test("answers of the wrong user, and too many queries, are dropped", () => {
  const from = "    ip saddr 127.0.0.1 tcp sport 10025 tcp flags & syn == syn";
  const rules = `${from} meta skuid 104 accept\n${from} oif lo drop\n${from} meta skuid != 104 drop\n`;
  for (const text of [tableOf(LOCAL), nftLocal(LOCAL.local)]) assert.ok(text.includes(rules), text);
  assert.match(
    tableOf(RESOLVER),
    /daddr 127\.71\.9\.53 .* meta skuid != @resolver_users limit rate over 4 kbytes\/second .* drop\n/,
  );
});

for (const [what, shape, sets] of [
  ["proxies", SHAPE, ["proxied", "proxy4", "proxy6", "proxy_users"]],
  ["users on loopback", LOCAL, ["askers", "sieve_senders"]],
  ["the resolver", RESOLVER, ["resolver_users"]],
] as const)
  test(`missing rules for ${what} are noticed; none are expected if they are not set`, () => {
    for (const set of sets) {
      assert.match(nftProbe(shape, "whole"), new RegExp(`^delete set inet ghostinbox ${set}$`, "m"));
      assert.doesNotMatch(tableOf(BANS_ALONE) + nftProbe(BANS_ALONE, "whole"), new RegExp(set));
    }
  });
