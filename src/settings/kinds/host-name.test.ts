import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseHostName } from "./texts.ts";

const label63 = "a".repeat(63);

const examples: readonly (readonly [text: string, name: string | null])[] = [
  ["example.org", "example.org"],
  ["Mail.Example.ORG", "mail.example.org"],
  ["a.b-c.d9", "a.b-c.d9"],
  ["münchen.example", "xn--mnchen-3ya.example"],
  [`${label63}.org`, `${label63}.org`],
  [`a${label63}.org`, null],
  [`${`${label63}.`.repeat(4)}org`, null],
  ["localhost", null],
  ["", null],
  [".", null],
  ["example.org.", null],
  [".example.org", null],
  ["example..org", null],
  ["-a.org", null],
  ["a-.org", null],
  ["a_b.org", null],
  ["a b.org", null],
  ["user@example.org", null],
  ["203.0.113.7", null],
  ["example.org\nmynetworks=0.0.0.0", null],
];

for (const [text, name] of examples)
  test(`parseHostName of ${JSON.stringify(text).slice(0, 60)}`, () => assert.equal(parseHostName(text), name));

test("a name that was read is read again as itself", () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.string()), (text) => {
      const name = parseHostName(text);
      if (name !== null) assert.equal(parseHostName(name), name);
    }),
  );
});

test("every domain of the ordinary kind is read", () => {
  fc.assert(fc.property(fc.domain(), (name) => assert.equal(parseHostName(name), name.toLowerCase())));
});
