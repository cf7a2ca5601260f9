import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { verifyByDovecot } from "./password-hash.ts";

const ANNA = "anna@example.org";
const PASSWORD = ' lamp $orchid "kettle% ü';

describe("another server's hash", { skip: lacking({ installed: ["doveadm"] }) }, () => {
  for (const scheme of ["SHA512-CRYPT", "BLF-CRYPT", "SSHA512", "PBKDF2", "MD5-CRYPT", "DIGEST-MD5"])
    test(`${scheme} is verified`, async () => {
      const made = await runProgram("doveadm", ["-c", "/dev/null", "pw", "-u", ANNA, "-s", scheme, "-p", PASSWORD]);
      const hash = made.stdout.trim();
      assert.ok(hash.startsWith(`{${scheme}}`), made.stderr);
      assert.deepEqual(await verifyByDovecot(ANNA, hash, PASSWORD), { is: "right" });
      assert.deepEqual(await verifyByDovecot(ANNA, hash, PASSWORD.trim()), { is: "wrong" });
    });

  test("what Dovecot does not know is neither right nor wrong", async () => {
    const { is } = await verifyByDovecot(ANNA, "{NO-SUCH}x", PASSWORD);
    assert.equal(is, "unknown");
  });
});
