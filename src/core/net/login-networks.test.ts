import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ip, net } from "../../../test/kit/samples.ts";
import { contains, inBoth, isOutside } from "./ip.ts";

const nets = (...texts: readonly string[]) => texts.map(net);

test("without networks one may sign in from anywhere", () => {
  assert.equal(isOutside(ip("203.0.113.7"), [], []), false);
  assert.equal(inBoth([], []), null);
});

test("both the server's networks and the account's must hold", () => {
  const server = nets("203.0.113.0/24", "2001:db8::/32");
  const account = nets("203.0.113.64/26", "198.51.100.0/24");
  assert.equal(isOutside(ip("203.0.113.70"), server, account), false);
  assert.equal(isOutside(ip("203.0.113.7"), server, account), true);
  assert.equal(isOutside(ip("198.51.100.7"), server, account), true);
  assert.equal(isOutside(ip("2001:db8::7"), server, account), true);
  assert.equal(isOutside(ip("2001:db8::7"), nets("0.0.0.0/0"), []), true);
  assert.deepEqual(inBoth(server, account), nets("203.0.113.64/26"));
  assert.deepEqual(inBoth(server, []), server);
  assert.deepEqual(inBoth([], account), account);
  assert.deepEqual(inBoth(nets("203.0.113.0/24"), nets("198.51.100.0/24")), []);
});

test("Dovecot's settings and the guard's decisions are the same", () => {
  const network = fc
    .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 26, max: 32 }))
    .map(([last, length]) => net(`203.0.113.${last}/${length}`));
  const list = fc.array(network, { maxLength: 3 });
  fc.assert(
    fc.property(list, list, fc.integer({ min: 0, max: 80 }), (server, account, last) => {
      const address = ip(`203.0.113.${last}`);
      const allowed = inBoth(server, account);
      const inside = allowed === null || allowed.some((each) => contains(each, address));
      assert.equal(isOutside(address, server, account), !inside);
    }),
  );
});
