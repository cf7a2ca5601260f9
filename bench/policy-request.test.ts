import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePolicyRequest } from "../src/mail/postfix/policy-protocol.ts";
import { type Family, MOST_V4_ADDRESSES, requestOf, type Stage, writeDigits } from "./policy-request.ts";

const STAGES: readonly (readonly [Stage, string])[] = [
  ["CONNECT", "CONNECT"],
  ["RCPT", "RECIPIENT"],
  ["DATA", "DATA"],
  ["END-OF-MESSAGE", "END_OF_MESSAGE"],
];

for (const [stage, type] of STAGES)
  test(`the guard reads ${stage} as ${type}`, () => {
    const { bytes } = requestOf(stage, "v4");
    assert.ok(bytes.toString().endsWith("\n\n"));
    const parsed = parsePolicyRequest(bytes.toString().slice(0, -2));
    assert.equal(parsed.ok ? parsed.value.type : parsed.reason, type);
  });

for (const [family, count] of [
  ["v4", MOST_V4_ADDRESSES],
  ["v6", 200_000],
] satisfies [Family, number][])
  test(`${count} addresses of ${family} are valid and all different`, () => {
    const request = requestOf("RCPT", family);
    const seen = new Set<string>();
    for (let i = 0; i < count; i++) {
      writeDigits(request, i, i);
      const line = /client_address=(.*)/.exec(request.bytes.toString("latin1"))?.[1] ?? "";
      seen.add(line);
    }
    assert.equal(seen.size, count);
    for (const address of [...seen].filter((_, i) => i % 1_000 === 0)) {
      const text = request.bytes.toString().replace(/client_address=.*/, `client_address=${address}`);
      const parsed = parsePolicyRequest(text.slice(0, -2));
      assert.ok(parsed.ok && "ip" in parsed.value && parsed.value.ip === address, address);
    }
  });

test("instance and port depend on the mail", () => {
  const request = requestOf("RCPT", "v4");
  writeDigits(request, 0, 1_234_567);
  assert.match(request.bytes.toString(), /^instance=1a2b\.5f000000\.1234567\.0$/m);
  assert.match(request.bytes.toString(), /^client_port=44567$/m);
});
