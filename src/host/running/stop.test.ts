import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { runProgram } from "../machine/run-program.ts";
import { lockHolder } from "./data-directory.ts";
import { restartServer, stopServer } from "./stop.ts";

const directory = temporaryDirectory();
const layout = layoutOf(directory);

/** Takes the lock, and neither ends nor starts again. */
const HOLDER = `
  const { takeLock } = await import(process.argv[1]);
  takeLock(process.argv[2], "data");
  process.on("SIGTERM", () => console.log("TERM"));
  console.log("taken");
  setInterval(() => undefined, 60_000);`;

/** In a separate network: a test must not touch this machine's firewall. */
const KILLED = `
  nft "add table inet ghostinbox; add table inet ghostinbox_strict; add table inet another"
  "$@" && nft list tables`;
/** Another server: its supervisor, and its guard once that runs, with a user that only this test knows. */
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
const WITH_NFT = { skip: lacking({ root: true, installed: ["unshare", "nft"] }) };

test("removes what a killed server left in the firewall", WITH_NFT, async () => {
  const modules = ["./stop.ts", "../../settings/layout.ts"].map((module) => import.meta.resolve(module));
  const node = [process.execPath, "--input-type=module", "--eval", STOPS, ...modules, directory];
  const ran = await runProgram("unshare", ["--net", "sh", "-ec", KILLED, "sh", ...node]);
  assert.equal(ran.stdout, '{"ok":true,"wasRunning":false}\ntable inet another\n', ran.stderr);
});

const WITH_RUNSV = { skip: lacking({ root: true, installed: ["unshare", "nft", "runsv", "setpriv"] }) };
test("does not change the firewall of a second directory's server", WITH_RUNSV, async () => {
  const modules = ["./stop.ts", "../../settings/layout.ts"].map((module) => import.meta.resolve(module));
  const node = [process.execPath, "--input-type=module", "--eval", STOPS, ...modules, directory];
  const argv = ["--net", "--mount", "sh", "-ec", OTHER + KILLED, "sh", temporaryDirectory(), ...node];
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
  const ran = await runProgram("unshare", [
    "--net",
    "--mount",
    "sh",
    "-ec",
    shell,
    "sh",
    temporaryDirectory(),
    ...wrong,
  ]);
  assert.equal(ran.stdout, "table inet ghostinbox\n", ran.stderr);
  assert.match(ran.stderr, /^Nothing was lifted\. .* has no server: .* A server with another directory runs here\. /);
});

test("stops nothing in another program's directory, even if programs run from it", async (t) => {
  const top = temporaryDirectory();
  mkdirSync(join(top, "program"));
  cpSync("/bin/sleep", join(top, "program", "node"));
  const child = spawn(join(top, "program", "node"), ["600"]);
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  const reason = (path: string): string =>
    `${path} holds other programs' files and no ghostinbox.toml, so nothing of it is ended.`;
  assert.deepEqual(await stopServer(layoutOf(top)), { ok: false, reason: reason(top) });
  assert.deepEqual(await stopServer(layoutOf("/bin/sleep")), { ok: false, reason: reason("/bin/sleep") });
  assert.equal(child.exitCode ?? child.signalCode, null);
});

test("a stopped server does not restart", async () => {
  assert.deepEqual(await restartServer(layout, []), {
    ok: false,
    reason: "GhostInbox is not running.",
    isRunning: false,
  });
});

test("a start that does not stop in time is named; one of an older version is not killed by a restart", async (t) => {
  const argv = ["--input-type=module", "--eval", HOLDER, import.meta.resolve("./data-directory.ts"), layout.startPid];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const restarted = await restartServer(layout, []);
  assert.ok(!restarted.ok && restarted.isRunning && restarted.reason.includes("knows no restart"));
  const stopped = await stopServer(layout, 200);
  assert.deepEqual(stopped, { ok: false, reason: `The start (pid ${child.pid}) has not ended within 0.2 s.` });
  assert.equal(lockHolder(layout.startPid), child.pid);
  child.kill("SIGKILL");
  await ended;
});
