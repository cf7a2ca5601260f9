import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { writeStream } from "../../host/root-files/copies.ts";
import { pack, unpack } from "./archive.ts";

const skip = lacking({ root: true, installed: ["gpg", "gpgconf", "setpriv", "tar"] });

test("what was packed is unpacked; without room for the archive it says so", { skip }, async (t) => {
  const top = temporaryDirectory();
  const [from, to, home] = [join(top, "from"), join(top, "to"), join(top, "home")];
  for (const path of [from, to, home]) mkdirSync(path, { mode: 0o700 });
  t.after(() => runProgram("gpgconf", ["--homedir", home, "--kill", "gpg-agent"]));
  const text = "a mail\n".repeat(200_000);
  writeFileSync(join(from, "1:2,S"), text);
  const secret = { passphrase: "seven unrelated words", home };
  const file = join(top, "archive.gpg");
  let written = 0;
  const packed = await pack(
    from,
    (archive, isWhole) => writeStream(file, archive, { mode: 0o600, isWhole }),
    secret,
    (done) => (written = done),
  );
  assert.deepEqual(packed, { ok: true });
  assert.equal(written, readFileSync(file).length);
  assert.deepEqual(await unpack(file, to, secret, { bytes: () => undefined }), { ok: true });
  assert.equal(readFileSync(join(to, "1:2,S"), "utf8"), text);
  const ended = await unpack(file, to, secret, { bytes: () => undefined, signal: AbortSignal.abort() });
  assert.equal(ended.ok, false);
  const full = await pack(
    from,
    (archive, isWhole) => writeStream("/dev/full/archive", archive, { mode: 0o600, isWhole }),
    secret,
    () => undefined,
  );
  assert.equal(full.ok, false);
});
