import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createWriteStream, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { writeStream } from "../../host/root-files/copies.ts";
import { pack, unpack } from "./archive.ts";

const skip = lacking({ root: true, installed: ["gpg", "gpgconf", "setpriv", "tar"] });

// backup.machine.test.ts unpacks what was packed.
test("an archive reports its size as it grows, and why it is incomplete", { skip }, async (t) => {
  const top = temporaryDirectory();
  const [from, to, home] = [join(top, "from"), join(top, "to"), join(top, "home")];
  for (const path of [from, to, home]) mkdirSync(path, { mode: 0o700 });
  t.after(() => runProgram("gpgconf", ["--homedir", home, "--kill", "gpg-agent"]));
  writeFileSync(join(from, "1:2,S"), "a mail\n".repeat(200_000));
  const secret = { passphrase: "seven unrelated words", home };
  let written = 0;
  const packTo = (file: string) =>
    pack(
      from,
      (archive, isWhole) => writeStream(file, archive, { mode: 0o600, isWhole }),
      secret,
      (done) => (written = done),
    );
  const file = join(top, "archive.gpg");
  assert.deepEqual(await packTo(file), { ok: true });
  assert.equal(written, statSync(file).size);
  const ended = await unpack(file, to, secret, { bytes: () => undefined, signal: AbortSignal.abort() });
  assert.equal(ended.ok, false);
  assert.equal((await packTo("/dev/full/archive")).ok, false);
  const kill = async (): Promise<void> => {
    const ours = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
    for (const pid of ours.trim().split(" ")) process.kill(Number(pid), "SIGKILL");
  };
  const killed = await pack(from, kill, secret, () => undefined);
  assert.deepEqual(killed, { ok: false, reason: "gpg ended with SIGKILL" });
  // As when its user marks it as read: tar sees that the file changed while it read it.
  const [mail, moved] = [join(from, "1:2,S"), join(from, "2:2,")];
  writeFileSync(mail, randomBytes(20_000_000));
  let times = 0;
  const moving = setInterval(() => {
    linkSync(mail, moved);
    rmSync(moved);
    times += 1;
  }, 5);
  const packed = await packTo(join(top, "another.gpg")).finally(() => clearInterval(moving));
  assert.deepEqual(packed, { ok: true });
  assert.ok(times > 1);
  const full = await pack(
    from,
    (archive) => pipeline(archive, createWriteStream("/dev/full")),
    secret,
    () => undefined,
  );
  assert.match(reasonOf(full), /ENOSPC/, "not gpg's message about its broken pipe");
});
