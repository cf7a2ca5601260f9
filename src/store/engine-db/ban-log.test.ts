import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN } from "../../../test/kit/samples.ts";
import { COUNTS_CODE } from "../columns.ts";
import { readBan } from "./ban-log.ts";

const { createdAt, expiresAt, ...same } = BAN;
const ROW = { ...same, created_at: createdAt, expires_at: expiresAt };

test("an invalid row from another program is reported, not trusted", () => {
  assert.throws(() => readBan({ ...ROW, code: "toString" }), /"toString" where a reason belongs/);
  assert.throws(() => readBan({ ...ROW, level: "severe" }), /"severe" where one of light, .* belongs/);
  assert.throws(() => readBan({ ...ROW, ip: null }), /null where an address belongs/);
  assert.throws(() => readBan({ ...ROW, created_at: "noon" }), /"noon" where an integer belongs/);
});

test("the numbers of the windows never change, because databases contain them", () => {
  assert.deepEqual(COUNTS_CODE, { connection: 1, mail: 2, account_mail: 3, login: 4, probe: 5, bounce: 6 });
});
