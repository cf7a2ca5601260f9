import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mountedFile } from "../../../test/kit/mounts.ts";
import { installed } from "../../../test/kit/needs.ts";
import { COMPILED, OWN_ETC } from "../../../test/kit/own-etc.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../machine/run-program.ts";
import { writeFile as replaceFile } from "../root-files/files.ts";
import { diskTrouble, withAdvice } from "./failure.ts";

function errorOf(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail("it worked");
}

test("a full disk is reported, with the next step", installed("/dev/full"), () => {
  const error = errorOf(() => writeFileSync("/dev/full", "x"));
  assert.match(diskTrouble(error) ?? "", /^The disk is full.*: make room, then start again\.$/);
});

test("a disk that is mounted read-only is reported with the file", OWN_ETC, async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "file");
  const script = `
    import { diskTrouble } from ${JSON.stringify(join(import.meta.dirname, "failure.ts"))};
    import { writeFileSync } from "node:fs";
    try { writeFileSync(${JSON.stringify(file)}, "x") } catch (error) { console.log(diskTrouble(error)) }`;
  const mounted = `mount -t tmpfs -o ro none "$1" && shift && exec "$@"`;
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script];
  const said = await runProgram("unshare", ["--mount", "sh", "-ec", mounted, "sh", directory, ...node], {
    env: COMPILED,
  });
  const reported = `The disk is mounted read-only (${file}): mount it for writing, then start again.\n`;
  assert.deepEqual([said.stderr, said.stdout], ["", reported]);
});

test("a separately mounted file is reported, because nothing can replace it", OWN_ETC, () => {
  const file = join(temporaryDirectory(), "ghostinbox.toml");
  writeFileSync(file, "");
  using _ = mountedFile(file);
  const says = `A separate mount cannot be replaced (${file}): mount the directory that contains it instead, then start again.`;
  assert.equal(diskTrouble(errorOf(() => replaceFile(file, "x", { mode: 0o600 }))), says);
});

test("a disk that fails is reported", () => {
  const error = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", path: "/srv/mail/db" });
  assert.match(diskTrouble(error) ?? "", /^The disk cannot be read or written \(\/srv\/mail\/db\): .*dmesg/);
});

test("other errors are not attributed to the disk", () => {
  assert.equal(diskTrouble(errorOf(() => writeFileSync("/nonexistent/file", "x"))), null);
  assert.equal(diskTrouble(new Error("no code")), null);
  assert.equal(diskTrouble("a string"), null);
});

test("a permission error says how to restore the rights; other errors do not", () => {
  for (const code of ["EACCES", "EPERM"]) {
    const error = Object.assign(new Error(`${code}: chmod '/x'`), { code });
    assert.match(withAdvice(error), /Stop the server and start it again/);
  }
  const missing = errorOf(() => readFileSync("/nonexistent"));
  assert.equal(withAdvice(missing), "ENOENT: no such file or directory, open '/nonexistent'");
});
