import assert from "node:assert/strict";
import { test } from "node:test";
import { contains, isV4, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { addressKeysIn, hasKeyIn, keyRange } from "./log-index.ts";

const ADDRESSES = [
  "0.0.0.0",
  "198.51.100.7",
  "198.51.100.8",
  "255.255.255.255",
  "::",
  "::1",
  "1:2:3::",
  "2001:db8::7",
].concat([
  "2001:db8:0:1::",
  "2001:db8:1::",
  "2a01:db8:ffff:ffff::1",
  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "0:1:2:3:4:5:6:7",
]);

test("a network has the keys of all its addresses, and of no others but for those of its IPv6 /48", () => {
  for (const text of ADDRESSES) {
    const address = parseIp(text);
    assert.ok(address !== null);
    const keys = addressKeysIn(`x[${text}]`, 10);
    assert.ok(keys !== null && keys.length === 1, text);
    for (let length = 0; length <= (isV4(address) ? 32 : 128); length += 1)
      for (const other of ADDRESSES) {
        const network = parsePrefix(`${other}/${length}`);
        const wider = parsePrefix(`${other}/${other.includes(":") ? Math.min(48, length) : length}`);
        if (network === null || wider === null) continue;
        const found = hasKeyIn(keys, keyRange(network));
        assert.equal(found, contains(wider, address), `${text} in ${other}/${length}`);
      }
  }
});

test("keys are in ascending order, each once, and not more than wanted", () => {
  const text = "9.9.9.9 2001:db8::1 1.1.1.1 9.9.9.9 2001:db8::2";
  const keys = addressKeysIn(text, 3);
  assert.ok(keys !== null);
  assert.deepEqual(
    [...keys],
    [...keys].toSorted((a, b) => a - b),
  );
  assert.equal(keys.length, 3);
  assert.equal(addressKeysIn(text, 2), null);
  const range = (network: string) => keyRange(parsePrefix(network) ?? assert.fail(network));
  assert.ok(hasKeyIn(keys, range("9.0.0.0/8")));
  assert.ok(!hasKeyIn(keys, range("8.0.0.0/8")));
  assert.ok(!hasKeyIn(keys, range("2001:db9::/32")));
  assert.ok(!hasKeyIn(new Float64Array(), range("0.0.0.0/0")));
});
