import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { sieveRedirectsIn } from "./sieve-redirects.ts";

const ANNA = "anna@example.org";

test("each script in the home counts, and a link to one only once", () => {
  const home = temporaryDirectory();
  assert.deepEqual(sieveRedirectsIn(home, ANNA), []);
  put(join(home, "sieve", "away.sieve"), 'redirect "anna@else.example";');
  put(join(home, "sieve", "keep.sieve"), "keep;");
  put(join(home, "sieve", "away.svbin"), 'redirect "x@else.example";');
  symlinkSync("sieve/away.sieve", join(home, ".dovecot.sieve"));
  const forward = { address: ANNA, to: ["anna@else.example"], by: "sieve/away.sieve" };
  assert.deepEqual(sieveRedirectsIn(home, ANNA), [forward]);
});

test("a user's own script is read, and a link to elsewhere is not", () => {
  const home = temporaryDirectory();
  put(join(home, ".dovecot.sieve"), 'redirect "anna@else.example";');
  const scripts = sieveRedirectsIn(home, ANNA).map(({ by }) => by);
  assert.deepEqual(scripts, [".dovecot.sieve"]);
  const other = temporaryDirectory();
  symlinkSync(join(home, ".dovecot.sieve"), join(other, ".dovecot.sieve"));
  assert.deepEqual(sieveRedirectsIn(other, ANNA), []);
});
