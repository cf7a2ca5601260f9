import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeKeys, judgePostmaster } from "./accounts.ts";

test("accounts: mail that the password cannot decrypt, in each mode; a missing key, in one", () => {
  const [counts, ann] = [{ own: 1, without: [], ofFile: 2, closed: [] }, "ann@example.org"] as const;
  assert.deepEqual([judgeKeys(counts, true).state, judgeKeys(counts, false).state], ["ok", "ok"]);
  const locked = judgeKeys({ ...counts, closed: [ann], without: [ann] }, false);
  assert.match(locked.saw, /^Older mail is locked, .*: ann@example\.org\.$/);
  const keyless = { ...counts, without: [ann] };
  assert.match(judgeKeys(keyless, true).saw, /^The server's key encrypts .*: ann@example\.org\.$/);
  assert.equal(judgeKeys(keyless, false).state, "ok");
});

test("accounts: mail for postmaster@ goes to an alias, unless it is blocked", () => {
  const judged = (blocked: boolean) =>
    judgePostmaster([], "info@example.org", [{ address: "info@example.org", blocked }]);
  assert.deepEqual([judged(false).state, judged(true).state], ["ok", "wrong"]);
});
