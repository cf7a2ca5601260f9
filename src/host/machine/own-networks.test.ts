import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { contains, hostPrefix, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import { KernelNetworks } from "./own-networks.ts";

test("loopback, every address of this machine and the configured proxies are its own", () => {
  const proxy = parsePrefix("203.0.113.0/28");
  const inside = parseIp("127.9.9.9");
  assert.ok(proxy !== null && inside !== null);
  const own = new KernelNetworks({ now: () => instant(0) }, [proxy]).current();
  assert.ok(own.some(({ prefix, why }) => why === "loopback" && contains(prefix, inside)));
  assert.ok(own.some(({ prefix, why }) => why === "loopback" && prefix === "::1/128"));
  assert.ok(own.some(({ prefix, why }) => why === "gateway" && prefix === proxy));
  for (const { address, internal } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    const ip = parseIp(address);
    assert.ok(ip !== null, address);
    if (!internal)
      assert.ok(
        own.some(({ prefix, why }) => why === "own_address" && prefix === hostPrefix(ip)),
        address,
      );
  }
});

test("the answer is kept for five seconds, and for no longer when the clock is set back", () => {
  let now = 100_000;
  const networks = new KernelNetworks({ now: () => instant(now) });
  const first = networks.current();
  now += 4_999;
  assert.equal(networks.current(), first);
  now += 1;
  const second = networks.current();
  assert.notEqual(second, first);
  now -= 1;
  assert.notEqual(networks.current(), second);
});
