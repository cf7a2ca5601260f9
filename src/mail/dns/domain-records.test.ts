import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedServer } from "../../../test/kit/checked-server.ts";
import { zoneServer } from "../../../test/kit/zone-server.ts";
import { parseIp } from "../../core/net/ip.ts";
import { compared, comparedAll, missingName, wantedRecords } from "./published-records.ts";

const OWN = parseIp("203.0.113.10") ?? assert.fail();
const ZONE = [
  { name: "example.org", type: "MX", value: "10 mail.example.org." },
  { name: "mail.example.org", type: "A", value: "203.0.113.10" },
] as const;

test("each record that should be there is compared with what is published", async () => {
  const { settings } = checkedServer({ resolver: await zoneServer(ZONE) });
  const wanted = wantedRecords(settings, [OWN], "example.org", "AAAA");
  const found = await compared(wanted);
  const of = (kind: string) => found.find(({ record }) => record.kind === kind);
  assert.equal(of("mx")?.verdict.status, "ok");
  assert.equal(of("address")?.verdict.status, "ok");
  assert.deepEqual([of("dkim")?.verdict.status, of("dkim")?.record.value], ["missing", "v=DKIM1; k=rsa; p=AAAA"]);
  assert.equal((await comparedAll(wanted)).length, found.length, "IPv6 has no address to ask about");
});

test("a relay is named as a sender, and a name without an address is missed", async () => {
  const { settings } = checkedServer({ resolver: await zoneServer([]) });
  const relayed = { ...settings, "outbound.relay": "[smtp.relay.example]:587" };
  const spf = wantedRecords(relayed, [], "example.org", "AAAA").records.find(({ kind }) => kind === "spf");
  assert.equal(spf?.value, "v=spf1 mx a:smtp.relay.example ~all");
  assert.equal((await missingName(settings)).verdict.status, "missing");
});
