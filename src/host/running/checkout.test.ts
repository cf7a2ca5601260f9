import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { releaseIn, versionIn } from "./checkout.ts";
import { startCommand, stopCommand } from "./server-commands.ts";

test("the version is that of package.json, if it has one", () => {
  const directory = temporaryDirectory();
  assert.equal(versionIn(directory), null);
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
  assert.equal(versionIn(directory), null);
  writeFileSync(join(directory, "package.json"), '{"type":"module","version":"1.2.3"}');
  assert.equal(versionIn(directory), "1.2.3");
});

test("a release names the commit of a branch, packed or not, of a detached checkout, or of an installed program", () => {
  const directory = temporaryDirectory();
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  write("package.json", '{ "version": "1.2.3" }');
  assert.equal(releaseIn(directory), "1.2.3");
  mkdirSync(join(directory, ".git/refs/heads"), { recursive: true });
  write(".git/HEAD", "ref: refs/heads/main\n");
  assert.equal(releaseIn(directory), "1.2.3", "a branch without a commit");
  write(".git/packed-refs", `# pack-refs with: peeled\n${"a".repeat(40)} refs/heads/main\n`);
  assert.equal(releaseIn(directory), "1.2.3 (commit aaaaaaaa)");
  write(".git/refs/heads/main", `${"b".repeat(40)}\n`);
  assert.equal(releaseIn(directory), "1.2.3 (commit bbbbbbbb)");
  write(".git/HEAD", `${"c".repeat(40)}\n`);
  assert.equal(releaseIn(directory), "1.2.3 (commit cccccccc)");
  const installed = temporaryDirectory();
  writeFileSync(join(installed, "package.json"), '{ "version": "1.2.3", "commit": "dddddddd" }');
  assert.equal(releaseIn(installed), "1.2.3 (commit dddddddd)");
});

test("commands name the data directory unless it is the usual one", () => {
  const [usual, other] = [layoutOf("/var/lib/ghostinbox"), layoutOf("/srv/mail")];
  assert.equal(startCommand(usual, false), "npm start");
  assert.equal(startCommand(other, false), "GHOSTINBOX_DATA=/srv/mail npm start");
  assert.equal(startCommand(usual, true), "systemctl start ghostinbox");
  assert.equal(stopCommand(usual), "`./ghostinbox stop`");
  assert.equal(stopCommand(other), "`GHOSTINBOX_DATA=/srv/mail ./ghostinbox stop`");
  // Docker restarts a container that stops itself.
  assert.equal(stopCommand(usual, true), "`docker stop` or `docker compose stop` on the host");
});
