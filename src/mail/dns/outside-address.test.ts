import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedServer } from "../../../test/kit/checked-server.ts";
import { ip } from "../../../test/kit/samples.ts";
import { zoneServer } from "../../../test/kit/zone-server.ts";
import { comparedReverse, judgeOutside, outsideAddresses } from "./published-records.ts";

const ROUTER = ip("203.0.113.10");
const ZONE = [
  { name: "mail.example.org", type: "A", value: ROUTER },
  { name: "mail.example.org", type: "AAAA", value: "2001:db8:10::10" },
] as const;

test("a router's address is a fact: it leads here if its port 25 greets with our name, else that is unknown", () => {
  const of = (greeting: string | null) => judgeOutside(ROUTER, "mail.example.org", greeting);
  assert.equal(of("220 mail.example.org ESMTP\r\n").status, "ok");
  for (const greeting of ["220 mx.example.net ESMTP\r\n", "554 no\r\n", "220\r\n", null])
    assert.equal(of(greeting).status, "unknown", String(greeting));
  assert.match(of(null).detail, /203\.0\.113\.10, which is not an address of this machine/);
});

test("the name is asked for the families in which the machine has no public address", async () => {
  const { settings } = checkedServer({ resolver: await zoneServer(ZONE) });
  assert.deepEqual(await outsideAddresses(settings, []), [ROUTER, ip("2001:db8:10::10")]);
  assert.deepEqual(await outsideAddresses(settings, [ip("2001:db8:10::10")]), [ROUTER]);
  assert.deepEqual(await outsideAddresses(settings, [ROUTER, ip("2001:db8:10::10")]), []);
});

test("the name of a router's address is needed to send, and optional behind a relay", async () => {
  const named = [...ZONE, { name: "10.113.0.203.in-addr.arpa", type: "PTR", value: "mail.example.org." } as const];
  for (const [zone, status] of [
    [named, "ok"],
    [ZONE, "missing"],
  ] as const) {
    const { settings } = checkedServer({ resolver: await zoneServer(zone) });
    const [compared] = await comparedReverse(settings, [ROUTER], true);
    assert.deepEqual([compared?.verdict.status, compared?.record.required], [status, true]);
    const relayed = { ...settings, "outbound.relay": "[smtp.relay.example]:587" };
    assert.equal((await comparedReverse(relayed, [ROUTER], true))[0]?.record.required, false);
    const passesIn = await comparedReverse(settings, [ROUTER], false);
    assert.equal(passesIn[0]?.record.required, false, "a proxy of a machine without IPv4");
  }
});
