import assert from "node:assert/strict";
import { test } from "node:test";
import { commanded } from "./command.ts";

test("a release ends the hold, a drop disowns it, a new password lowers the guard, anything else changes nothing", () => {
  const subject = "anna@example.org";
  assert.deepEqual(commanded({ type: "ACCOUNT_RELEASED", subject }), [{ type: "END_HOLD", account: subject }]);
  assert.deepEqual(commanded({ type: "PASSWORD_CHANGED", subject }), [{ type: "FORGET_GUESSES", account: subject }]);
  assert.deepEqual(commanded({ type: "HELD_MAIL_DROPPED", subject }), [{ type: "DISOWN_HOLD", account: subject }]);
  assert.deepEqual(commanded({ type: "ACCOUNT_SUSPENDED", subject }), []);
});
