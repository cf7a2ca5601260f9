import assert from "node:assert/strict";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../machine/run-program.ts";

/** Runs in a separate network, because a test must not touch this machine's firewall. */
const KILLED = `
  nft "add table inet ghostinbox; add table inet ghostinbox_strict; add table inet another"
  "$@" && nft list tables`;
/** Starts another server: its supervisor and, once that runs, its guard, with a user that only this test knows. */
const OTHER = `
  mkdir -p "$1/service/guard"
  cp /etc/passwd "$1/passwd"
  grep -q ^ghostinbox: "$1/passwd" || echo ghostinbox:x:64123:64123::/nonexistent:/usr/sbin/nologin >>"$1/passwd"
  mount --bind "$1/passwd" /etc/passwd
  printf '#!/bin/sh\\necho $$ >"%s/pid"\\nexec setpriv --reuid ghostinbox --clear-groups sleep 600\\n' "$1" >"$1/service/guard/run"
  chmod +x "$1/service/guard/run"
  cd "$1/service"; runsv guard & trap 'kill -TERM $!; wait' EXIT
  until grep -qs "^Name:.sleep" "/proc/$(cat "$1/pid" 2>/dev/null)/status"; do sleep 0.02; done
  cd /; shift`;
const STOPS = `
  const [{ stopServer }, { layoutOf }] = await Promise.all(process.argv.slice(1, 3).map((module) => import(module)));
  console.log(JSON.stringify(await stopServer(layoutOf(process.argv[3]))));`;
const MODULES = ["./stop.ts", "../../settings/layout.ts"].map((module) => import.meta.resolve(module));
const STOP = [process.execPath, "--input-type=module", "--eval", STOPS, ...MODULES, temporaryDirectory()];
const WITH_NFT = { skip: lacking({ root: true, installed: ["unshare", "nft"] }) };

test("removes the tables that a killed server left in the firewall", WITH_NFT, async () => {
  const ran = await runProgram("unshare", ["--net", "sh", "-ec", KILLED, "sh", ...STOP]);
  assert.equal(ran.stdout, '{"ok":true,"wasRunning":false}\ntable inet another\n', ran.stderr);
});

/** An nft that lists a table, and fails at anything else. */
const STUCK = `
  printf '#!/bin/sh\\ncase "$1" in list) echo table ;; *) echo "Error: no memory" >&2; exit 1 ;; esac\\n' >"$1/nft"
  chmod +x "$1/nft"; mount --bind "$1/nft" "$(command -v nft)"
  shift; exec "$@"`;
test("names a table that stays in the firewall", WITH_NFT, async () => {
  const argv = ["--net", "--mount", "sh", "-ec", STUCK, "sh", temporaryDirectory(), ...STOP];
  const ran = await runProgram("unshare", argv);
  const says =
    /"ok":false,"reason":"No process is left, but the firewall table inet ghostinbox stays in force \(nft failed: no memory\)/;
  assert.match(ran.stdout, says, ran.stderr);
});

const WITH_RUNSV = { skip: lacking({ root: true, installed: ["unshare", "nft", "runsv", "setpriv"] }) };
test("does not change the firewall of a second directory's server", WITH_RUNSV, async () => {
  const argv = ["--net", "--mount", "sh", "-ec", OTHER + KILLED, "sh", temporaryDirectory(), ...STOP];
  const ran = await runProgram("unshare", argv);
  const tables = ["ghostinbox", "ghostinbox_strict", "another"].map((name) => `table inet ${name}\n`).join("");
  assert.equal(ran.stdout, `{"ok":true,"wasRunning":false}\n${tables}`, ran.stderr);
});

test("break-glass with a wrong directory does not change the firewall of the running server", WITH_RUNSV, async () => {
  const program = new URL("../../programs/command-line/main.ts", import.meta.url).pathname;
  const shell = `${OTHER}
    nft "add table inet ghostinbox"
    ! "$@" && nft list tables`;
  const wrong = [process.execPath, program, "break-glass", "--data", temporaryDirectory()];
  const argv = ["--net", "--mount", "sh", "-ec", shell, "sh", temporaryDirectory(), ...wrong];
  const ran = await runProgram("unshare", argv);
  assert.equal(ran.stdout, "table inet ghostinbox\n", ran.stderr);
  assert.match(ran.stderr, /^Nothing was lifted\. .* has no server: .* A server with another directory runs here\. /);
});
