import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseAccountName, parseAddress, parseSenderPattern, withoutExtension } from "../../src/core/net/address.ts";
import { type Ip, parseIp } from "../../src/core/net/ip.ts";
import { listQuery, readListAnswer } from "../../src/guard/lookups/dnsbl.ts";
import { judge, recordsOf } from "../../src/mail/dns/records.ts";
import { parseHostName } from "../../src/settings/kinds/texts.ts";
import { clientOf, isOwnName } from "../../src/surfaces/api/client-address.ts";
import { ANY_CHARACTER } from "../kit/any-character.ts";
import { settingsWith } from "../kit/loaded-settings.ts";
import { ip as ipOf, net } from "../kit/samples.ts";

/** Text from strangers: anything, including what is nearly valid. */
const HINTS = ["@", ".", "+", "-", "a", "0", "..", "xn--", "::", "/", "%", "\0", "\r\n", "é", "*", ",", " ", "\\", "'"];
const hostile = fc.oneof(
  fc.string({ unit: ANY_CHARACTER, maxLength: 300 }),
  fc.array(fc.constantFrom(...HINTS), { maxLength: 300 }).map((parts) => parts.join("")),
  fc.emailAddress(),
  fc.domain(),
);
const ip = fc.oneof(fc.ipV4(), fc.ipV6()).map(ipOf);
const RUNS = { numRuns: 2_000, seed: 20_261_120 };

function all<T>(of: fc.Arbitrary<T>, holds: (value: T) => void): void {
  fc.assert(fc.property(of, holds), RUNS);
}

test("a parsed address is one line of plain ASCII, a fixed point, and safe as a directory name", () => {
  all(hostile, (text) => {
    const address = parseAddress(text);
    if (address !== null) {
      assert.match(address, /^[\x21-\x7e]+@[a-z0-9.-]+$/);
      assert.equal(parseAddress(address), address);
      assert.notEqual(parseAddress(withoutExtension(address)), null);
    }
    const name = parseAccountName(text);
    if (name !== null) assert.doesNotMatch(name, /[/+]|^\.|\.\.|@\./);
  });
});

test("a sender's pattern contains nothing that ends a line or starts a comment", () => {
  all(hostile, (text) => assert.doesNotMatch(parseSenderPattern(text) ?? "", /[\s#\\,"]/));
});

test("a parsed host name is a fixed point, and not an IP address", () => {
  all(hostile, (text) => {
    const name = parseHostName(text);
    if (name === null) return;
    assert.equal(parseHostName(name), name);
    assert.equal(parseIp(name), null);
  });
});

test("a list is queried only by a name of labels, and only a loopback answer means a listing", () => {
  all(ip, (address) => assert.match(listQuery(address, "bl.example.org"), /^(?:[0-9a-f]{1,3}\.)+bl\.example\.org$/));
  all(fc.array(fc.oneof(fc.ipV4(), hostile), { maxLength: 8 }), (answers) => {
    for (const zone of ["zen.spamhaus.org", "bl.spamcop.net", "other.example"])
      if (readListAnswer(zone, answers).type !== "nothing")
        assert.ok(
          answers.some((answer) => answer.startsWith("127.")),
          answers.join(),
        );
  });
});

test("whatever the DNS says, a record gets a verdict of one line", () => {
  const addresses = [ipOf("203.0.113.7")];
  const records = recordsOf({ settings: settingsWith(), addresses, domain: "example.org", key: "AAAA" });
  const near = hostile.map((text) => `v=spf1 ${text}`);
  all(fc.array(fc.oneof(hostile, near), { maxLength: 4 }), (values) => {
    for (const record of records)
      assert.match(judge(record, { ok: true, found: values }).status, /^(?:ok|missing|wrong|unknown)$/);
  });
});

test("a proxy header never replaces an untrusted peer as the client, and never makes a trusted proxy the client", () => {
  const proxy = ipOf("10.0.0.1");
  const trusted = net("10.0.0.0/8");
  all(fc.tuple(ip, hostile, fc.array(ip, { maxLength: 5 })), ([peer, junk, hops]) => {
    const header = [junk, ...hops].join(", ");
    const seenFrom = (from: Ip, isTrusted: boolean) =>
      clientOf({ ip: from, isTrusted, user: null }, { for: header, proto: "https" }, [trusted], () => false);
    assert.equal(seenFrom(peer, false).ip, peer);
    const last = hops.at(-1);
    const seen = seenFrom(proxy, true);
    if (last !== undefined && !last.startsWith("10.")) assert.equal(seen.ip, last);
    assert.notEqual(parseIp(seen.ip), null);
  });
});

test("no foreign name with a dot is mistaken for ours", () => {
  all(fc.domain(), (name) => assert.equal(isOwnName(name, ["mail.example.org"]), name === "mail.example.org"));
  all(hostile, (text) => assert.equal(typeof isOwnName(text, ["mail.example.org"]), "boolean"));
});
