import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedServer } from "../../../test/kit/checked-server.ts";
import { zoneServer } from "../../../test/kit/zone-server.ts";
import { publishedFor } from "./published-records.ts";

test("each record comes with its state, and why it is wrong", async () => {
  const zone = [{ name: "example.org", type: "MX", value: "10 mx.example.net." }] as const;
  const { settings } = checkedServer({ resolver: await zoneServer(zone) });
  const records = await publishedFor(settings, "example.org", "AAAA");
  assert.deepEqual(
    records.find(({ type }) => type === "MX"),
    {
      name: "example.org",
      type: "MX",
      value: "10 mail.example.org.",
      says: "Mail for the domain comes here.",
      required: true,
      status: "wrong",
      detail: "It names mx.example.net.",
    },
  );
  assert.equal(records.find(({ name }) => name === "_dmarc.example.org")?.status, "missing");
});
