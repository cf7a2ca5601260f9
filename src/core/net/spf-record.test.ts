import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseSpfRecord } from "./spf-record.ts";

test("terms that pass are read, in upper or lower case; the others and macros are skipped", () => {
  const lengths = { v4Length: 32, v6Length: 128 };
  assert.deepEqual(
    parseSpfRecord(
      "v=spf1 IP4:203.0.113.0/24 +ip6:2001:db8::/32 include:_SPF.Example.org. a a/24 a:host.example.org//64 " +
        "mx mx:example.net/28//48 redirect=_other.example.org -all",
    ),
    [
      { type: "network", prefix: "203.0.113.0/24" },
      { type: "network", prefix: "2001:db8::/32" },
      { type: "include", domain: "_spf.example.org" },
      { type: "a", domain: null, ...lengths },
      { type: "a", domain: null, ...lengths, v4Length: 24 },
      { type: "a", domain: "host.example.org", ...lengths, v6Length: 64 },
      { type: "mx", domain: null, ...lengths },
      { type: "mx", domain: "example.net", v4Length: 28, v6Length: 48 },
      { type: "redirect", domain: "_other.example.org" },
    ],
  );
  const nothing =
    "-ip4:203.0.113.1 ~mx ?a ip4:2001:db8::1 ip6:203.0.113.1 ip4:300.1.1.1 ip4: include: include:%{d}.x.org";
  const wrong = `${nothing} a:/24 a/33 a/240 mx/24/64 mx//129 ax exp=why.example.org all +all`;
  assert.deepEqual(parseSpfRecord(`v=spf1 ${wrong}`), []);
});

test("other texts are not records", () => {
  for (const text of ["", "v=spf10 ip4:203.0.113.1", "v=spf2.0/pra ip4:203.0.113.1", "spf1", "v=DMARC1; p=none"])
    assert.equal(parseSpfRecord(text), null, text);
});

test("no text from DNS throws, and the result is bounded", () => {
  const word = fc.oneof(fc.string(), fc.constantFrom("a", "mx:", "ip4:1.2.3.4/33", "include:..", "a:b/", "redirect="));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 700 }), (words) => {
      const terms = parseSpfRecord(`v=spf1 ${words.join(" ")}`);
      assert.ok(terms !== null && terms.length <= 500);
    }),
    { numRuns: 50, seed: 7 },
  );
});

test("five hundred terms are read, and a name that cannot be one gives no hosts", () => {
  const terms = (count: number) => parseSpfRecord(`v=spf1 ${"ip4:203.0.113.1 ".repeat(count)}ip4:203.0.113.2`);
  assert.equal(terms(499)?.length, 500);
  assert.equal(terms(500)?.length, 500);
  assert.deepEqual(parseSpfRecord("v=spf1 a:nodots mx:-bad.example a:%{d}.example"), []);
});
