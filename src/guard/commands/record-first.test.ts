// Invariant: No account, alias, second factor or passkey changes without a record, which is written first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accountsOnMemory } from "../../../test/kit/engine-kit.ts";
import { accountName } from "../../../test/kit/samples.ts";
import { instant } from "../../core/time.ts";
import type { Outcome } from "../ports.ts";
import { recordFirst, UNWRITTEN } from "./record-first.ts";
import { failed } from "./refusals.ts";

const ANNA = accountName("anna@example.test");

function kit() {
  const { accounts, accountLists, rehearse } = accountsOnMemory();
  return {
    parts: { rehearse },
    isThere: (): boolean => accountLists.account(ANNA) !== null,
    change: (): Outcome => accounts.add(ANNA, "{X}y", instant(1)),
  };
}

const refused = (reason: string) => failed(reason, "");

test("the record is written before the change", async () => {
  const { parts, isThere, change } = kit();
  const seen: boolean[] = [];
  const record = (): Promise<boolean> => Promise.resolve(seen.push(isThere()) > 0);
  assert.deepEqual(await recordFirst(parts, { change, record, refused }), { ok: true });
  assert.deepEqual([seen, isThere()], [[false], true]);
});

test("a change that cannot be recorded is not made, and a change that would be refused is not recorded", async () => {
  const { parts, isThere, change } = kit();
  assert.equal(await recordFirst(parts, { change, record: () => Promise.resolve(false), refused }), UNWRITTEN);
  const check = () => refused("It leads too far.");
  const checked = await recordFirst(parts, { change, check, record: () => assert.fail("recorded"), refused });
  assert.deepEqual([checked, isThere()], [check(), false]);
  change();
  const again = await recordFirst(parts, { change, record: () => assert.fail("recorded"), refused });
  assert.deepEqual(again, refused("The account anna@example.test exists already."));
});
