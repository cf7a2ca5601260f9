import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD_SALT_BYTES, PASSWORD_TAG_BYTES, printArgon2id } from "./cost.ts";

test("a hash is a PHC string without padding, after Dovecot's scheme", () => {
  assert.equal(
    printArgon2id(Buffer.alloc(PASSWORD_SALT_BYTES), Buffer.alloc(PASSWORD_TAG_BYTES, 0xff)),
    `{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$${"A".repeat(22)}$${"/".repeat(42)}8`,
  );
});
