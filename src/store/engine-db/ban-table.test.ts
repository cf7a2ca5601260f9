import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { ban, engineDatabase, unban } from "../../../test/kit/test-database.ts";
import { sqliteBanLengths } from "./ban-table.ts";

test("only prefix lengths of bans are looked up, both those in the database and those added later", (t) => {
  const { db, store, committed } = engineDatabase(t);
  committed(() => {
    for (const network of ["198.51.100.0/24", "198.51.0.0/16", "198.51.100.9/32", "2001:db8::/48"]) ban(store, network);
    unban(store, "198.51.0.0/16");
  });
  const lengths = sqliteBanLengths(db);
  assert.deepEqual(lengths.around(net("203.0.113.7")), ["203.0.113.0/24"]);
  assert.deepEqual(lengths.around(net("203.0.113.0/24")), []);
  assert.deepEqual(lengths.around(net("2001:db8:0:1::/64")), ["2001:db8::/48"]);
  lengths.add(net("198.0.0.0/8"));
  assert.deepEqual(lengths.around(net("203.0.113.7")), ["203.0.113.0/24", "203.0.0.0/8"]);
});
