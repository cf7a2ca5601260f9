import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { checkedServer } from "../../../test/kit/checked-server.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import { MX } from "../../../test/kit/upkeep-kit.ts";
import { zoneServer } from "../../../test/kit/zone-server.ts";
import { type Ip, isPrivate, isV4, type Prefix } from "../../core/net/ip.ts";
import {
  compared,
  comparedAll,
  comparedOutside,
  comparedReverse,
  createRecordLookup,
  expectedRecords,
  judgeOutside,
  type OutsideKind,
  outsideAddresses,
  publishedFor,
} from "./published-records.ts";

const ADDRESS = ip("203.0.113.10");
const NAMED = { name: "mail.example.org", type: "A" } as const;
const ZONE = [
  { ...NAMED, value: ADDRESS },
  { name: "mail.example.org", type: "AAAA", value: "2001:db8:10::10" },
] as const;

test("an existing name, a missing one, and a resolver that does not answer", async () => {
  const published = createRecordLookup(await zoneServer(ZONE));
  assert.deepEqual(await published(NAMED), { ok: true, found: [ADDRESS] });
  for (const type of ["A", "AAAA", "MX", "TXT", "PTR", "SRV"] as const)
    assert.deepEqual(await published({ name: "other.example.org", type }), { ok: true, found: [] }, type);
  const dead = createRecordLookup("127.0.0.1:9");
  assert.deepEqual(await dead(NAMED), { ok: false, reason: "ECONNREFUSED" });
});

test("each expected record is compared with the published one", async () => {
  const mx = { name: "example.org", type: "MX", value: "10 mail.example.org." } as const;
  const { settings } = checkedServer({ resolver: await zoneServer([mx, ...ZONE.slice(0, 1)]) });
  const expected = expectedRecords(settings, [ADDRESS], "example.org", "AAAA");
  const found = await compared(expected);
  const of = (kind: string) => found.find(({ record }) => record.kind === kind);
  assert.equal(of("mx")?.verdict.status, "ok");
  assert.equal(of("address")?.verdict.status, "ok");
  assert.deepEqual([of("dkim")?.verdict.status, of("dkim")?.record.value], ["missing", "v=DKIM1; k=rsa; p=AAAA"]);
  assert.equal((await comparedAll(expected)).length, found.length, "IPv6 has no address to ask about");
});

test("each of the machine's addresses needs both records, and the name has no others", async () => {
  const [named, spare, stranger, local] = [ADDRESS, ip("203.0.113.11"), ip("198.51.100.1"), ip("10.0.0.7")];
  const judged = async (zone: readonly Ip[], proxies: readonly Prefix[] = []) => {
    const resolver = await zoneServer(zone.map((value) => ({ ...NAMED, value })));
    const { settings } = checkedServer({ resolver, settings: { "proxy.networks": proxies } });
    const all = await compared(expectedRecords(settings, [named, spare], "example.org", "AAAA"));
    const about = all.filter(({ record: { kind } }) => kind === "address" || kind === "reverse");
    return about.map(({ record: { type }, verdict: { status } }) => `${type} ${status}`).join();
  };
  assert.equal(await judged([named, spare]), "A ok,PTR missing,A ok,PTR missing");
  assert.equal(await judged([named]), "A ok,PTR missing,A wrong,PTR missing");
  assert.equal(await judged([stranger]), "A wrong,PTR missing,A wrong,PTR missing");
  for (const other of [stranger, local, ip("127.0.0.1")])
    assert.equal(await judged([named, other]), "A wrong,PTR missing,A wrong,PTR missing", other);
  assert.equal(await judged([named, stranger], [net("10.0.0.5")]), "A ok,PTR missing,A wrong,PTR missing");
  assert.match(await judged([named, ip("10.0.0.5")], [net("10.0.0.5")]), /^A wrong/);
  for (const { address } of Object.values(networkInterfaces()).flatMap((list) => list ?? []))
    if (isV4(ip(address)) && !address.startsWith("127."))
      assert.match(await judged([named, ip(address)]), isPrivate(ip(address)) ? /^A wrong/ : /^A ok/);
});

test("a name without any address is reported once", async () => {
  const { settings } = checkedServer({ resolver: await zoneServer([]) });
  const [v4, v6] = [ip("192.168.7.10"), ip("2001:db8:10::10")];
  const missed = async (kind: OutsideKind, addresses: readonly Ip[] = [], outgoing = [v4, v6]) =>
    (await comparedOutside({ addresses, settings }, [kind], Promise.resolve(outgoing))).map(
      ({ record, verdict }) => `${record.required ? "required" : "optional"} ${record.type} ${verdict.status}`,
    );
  assert.deepEqual(await missed("address"), ["required A missing"]);
  assert.deepEqual(await missed("reverse"), []);
  assert.deepEqual(await missed("address", [ADDRESS]), []);
  assert.deepEqual(await missed("address", [v6]), ["optional A missing"], "the router may not forward IPv4");
  assert.deepEqual(await missed("address", [v6], [v6]), []);
});

test("each record comes with its state, and why it is wrong", async () => {
  const zone = [{ name: "example.org", type: "MX", value: "10 mx.example.net." }] as const;
  const { settings } = checkedServer({ resolver: await zoneServer(zone) });
  const records = await publishedFor(settings, "example.org", "AAAA");
  const wrong = records.find(({ type }) => type === "MX");
  assert.deepEqual(wrong, { ...MX, status: "wrong", detail: "It names mx.example.net." });
  assert.equal(records.find(({ name }) => name === "_dmarc.example.org")?.status, "missing");
});

test("a router's address leads here if its port 25 greets with our name; otherwise that is unknown", () => {
  const of = (greeting: string | null) => judgeOutside(ADDRESS, "mail.example.org", greeting);
  assert.equal(of("220 mail.example.org ESMTP\r\n").status, "ok");
  assert.equal(judgeOutside(ADDRESS, "my-mail.example.org", "220-My-Mail.example.org\r\n220 -\r\n").status, "ok");
  for (const greeting of ["220 mx.example.net ESMTP\r\n", "554 no\r\n", "220\r\n", null])
    assert.equal(of(greeting).status, "unknown", String(greeting));
  assert.match(of(null).detail, /203\.0\.113\.10, which is not an address of this machine/);
});

test("addresses of a family in which the machine has none belong to a router", async () => {
  const { settings } = checkedServer({ resolver: await zoneServer(ZONE) });
  assert.deepEqual(await outsideAddresses(settings, []), [ADDRESS, ip("2001:db8:10::10")]);
  assert.deepEqual(await outsideAddresses(settings, [ip("2001:db8:10::10")]), [ADDRESS]);
  assert.deepEqual(await outsideAddresses(settings, [ADDRESS, ip("2001:db8:10::10")]), []);
});

test("the name of a router's address is needed to send, and optional behind a relay", async () => {
  const named = [...ZONE, { name: "10.113.0.203.in-addr.arpa", type: "PTR", value: "mail.example.org." } as const];
  for (const [zone, status] of [
    [named, "ok"],
    [ZONE, "missing"],
  ] as const) {
    const { settings } = checkedServer({ resolver: await zoneServer(zone) });
    const [compared] = await comparedReverse(settings, [ADDRESS], [ip("10.0.0.7")]);
    assert.deepEqual([compared?.verdict.status, compared?.record.required], [status, true]);
    const relayed = { ...settings, "outbound.relay": "[smtp.relay.example]:587" };
    assert.equal((await comparedReverse(relayed, [ADDRESS], [ip("10.0.0.7")]))[0]?.record.required, false);
    const passesIn = await comparedReverse(settings, [ADDRESS], [ip("2001:db8:10::10")]);
    assert.equal(passesIn[0]?.record.required, false, "a proxy of a machine without IPv4");
    const [six] = await comparedReverse(settings, [ip("2001:db8:10::10")], [ip("10.0.0.7")]);
    assert.equal(six?.record.required, false, "a proxy of a machine without IPv6");
  }
});
