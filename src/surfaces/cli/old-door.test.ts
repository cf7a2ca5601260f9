import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";

const SCRIPT = join(import.meta.dirname, "..", "..", "..", "security", "security.js");

/** Runs `security.js` on a machine without a server, with a fake Docker that runs these containers. */
function typed(docker: string | null, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const directory = temporaryDirectory();
  const bin = join(directory, "bin");
  mkdirSync(bin);
  if (docker !== null) writeFileSync(join(bin, "docker"), `#!/bin/sh\n${docker}`, { mode: 0o755 });
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...words], {
    env: { PATH: `${bin}:/usr/bin:/bin`, GHOSTINBOX_DATA: join(directory, "none"), ...env },
    encoding: "utf8",
  });
  return { status, out: stdout + stderr };
}

const running = (names: string): string =>
  `if [ "$1" = ps ]; then printf '${names}'; else printf '<%s>' "$@"; exit 3; fi\n`;

test("on a Docker host, each word is passed to the GhostInbox container, and its exit code is returned", () => {
  for (const [words, passed] of [
    [["ban", "1.2.3.4", "Spam relay attempt"], "<ban><1.2.3.4><Spam relay attempt>"],
    [["ban", "1.2.3.4", "-- spam"], "<ban><--><1.2.3.4><-- spam>"],
    [["ban", "1.2.3.4", "--permanent"], "<ban><1.2.3.4><--permanent>"],
    [["stats", "--json"], "<stats><--json>"],
  ] as const) {
    const { status, out } = typed(running("mailserver\\n"), words);
    assert.deepEqual([status, out], [3, `<exec><mailserver><ghostinbox>${passed}`]);
  }
});

test("with several containers a name is required; without any, the message says so", () => {
  const statsOn = (docker: string) => typed(docker, ["stats"]).out;
  const two = running("one\\ntwo\\n");
  assert.match(statsOn(two), /^There are several containers of GhostInbox\. Name one: GHOSTINBOX_CONTAINER=one$/m);
  for (const named of [{}, { GHOSTINBOX_DATA: temporaryDirectory() }]) {
    const { out } = typed(two, ["stats"], { GHOSTINBOX_CONTAINER: "two", ...named });
    assert.match(out, /<two><ghostinbox><stats><--json>/, "even if this machine has a server too");
  }
  const none = typed(running(""), ["stats"]);
  assert.equal(none.status, 3);
  assert.match(none.out, /not set up on this machine, and no container of it exists/);
  const stopped = `case "$*" in ps*--all*) printf 'one\\ntwo\\n';; ps*) printf 'two\\n';; esac\n`;
  assert.match(statsOn(stopped), /^There are several/, "another server gets no command meant for a stopped one");
  assert.match(statsOn("echo permission denied >&2; exit 1"), /^Docker could not list .*permission denied$/m);
});

test("an unknown word reaches no server", () => {
  const { status, out } = typed(running("one\\n"), ["frobnicate"]);
  assert.deepEqual([status, out.startsWith('Unknown command "frobnicate". Usage: ')], [2, true]);
});
