import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { contains, type Ip, type Prefix, parseIp, parsePrefix } from "./ip.ts";
import { NetworkSet } from "./network-set.ts";

test("an address is in the set when one of the networks contains it, whatever the networks", () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6();
  const network = fc.oneof(
    fc.tuple(v4, fc.integer({ min: 0, max: 32 })),
    fc.tuple(v6, fc.integer({ min: 0, max: 128 })),
  );
  fc.assert(
    fc.property(fc.array(network, { maxLength: 8 }), fc.array(fc.oneof(v4, v6), { maxLength: 8 }), (made, others) => {
      const networks = made.map(([ip, length]) => prefix(`${ip}/${length}`));
      const set = new NetworkSet(networks);
      for (const ip of [...made.map(([text]) => text), ...others].map(address))
        assert.equal(
          set.includes(ip),
          networks.some((one) => contains(one, ip)),
        );
    }),
  );
});

test("nothing is in an empty set", () => {
  assert.equal(new NetworkSet([]).includes(address("203.0.113.7")), false);
  assert.equal(new NetworkSet([prefix("::/0")]).includes(address("203.0.113.7")), false);
});

function address(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed !== null, text);
  return parsed;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert.ok(parsed !== null, text);
  return parsed;
}
