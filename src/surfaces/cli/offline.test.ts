import assert from "node:assert/strict";
import { copyFileSync, existsSync, globSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { servedSocket } from "../../../test/kit/served.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import {
  commandLineOf,
  ghostinbox,
  json,
  oneLineOfError,
  PASSWORD,
  start,
  TIMED,
} from "../../../test/kit/test-guard.ts";
import { noServerIn } from "./call.ts";
import { commands } from "./commands.ts";
import { notRunning } from "./not-running.ts";

const { layout, run, does } = commandLineOf(import.meta.filename);
const howToStart = (): string => `Start it with \`GHOSTINBOX_DATA=${layout.data} npm start\`.`;

describe("while the guard is down", TIMED, () => {
  const sample: Readonly<Record<string, string>> = {
    IP: "203.0.113.7",
    "[TEXT]": "203.0.113.7",
    ADDRESS: "anna@example.org",
    "TARGET...": "bea@example.org",
    NAME: "nightly",
    FILE: "postfix-accounts.cf",
    "add|remove|list": "list",
    ACCOUNT: "anna@example.org",
    SENDER: "*@friend.example",
    "[ID...]": "4Wxyz12AbCz1",
    "[SESSION]": "4Wxyz12AbCz1",
    "REASON...": "recovered",
    "TEXT...": "shop.example",
    "NAME...": "phone",
  };
  /** Commands that work without the guard, by name or group. They have their own tests; the kernel or the keeper answers some. */
  const OFFLINE =
    /^(?:backup|break-glass|completion|config (?:check|reference|set|show|unset)|dns|fail2ban test|firewall|incident|logs|rollback|sendmail|service|stop|uninstall|upgrade)(?: |$)/;

  for (const { name, usage } of commands.filter((command) => !OFFLINE.test(command.name)))
    test(`${name} exits with 3 and touches no file`, async () => {
      const files = globSync(`${layout.data}/**/*`);
      const args = usage.split(" ").flatMap((place) => sample[place] ?? []);
      const finished = await ghostinbox(layout, [...name.split(" "), ...args], `${PASSWORD}\n`);
      assert.equal(oneLineOfError(finished, 3), `GhostInbox is not running. ${howToStart()}\n`);
      assert.deepEqual(globSync(`${layout.data}/**/*`), files);
    });

  test("stopping a stopped server succeeds", ROOT, async () => {
    assert.deepEqual(json(await run("stop --json")), { stopped: true, wasRunning: false });
  });

  test("checks and explains the settings", async () => {
    assert.deepEqual(json(await run("config check --json")), { ok: true, problems: [], warnings: [] });
    assert.match(await does("config reference"), /^# limits\.mail\.per_minute = 10$/m);
    writeFileSync(layout.settings, 'domain = ["example.org"]\n[limits.mail]\nper_minute = "x"\n');
    const wrong = await run("config check");
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /^- domain is not a setting; the nearest is domains\.$/m);
    assert.match(wrong.err, /2 settings are wrong/);
  });

  test("without set-up, the program explains how to set up", async () => {
    const bare = temporaryDirectory();
    copyFileSync("ghostinbox", join(bare, "ghostinbox"));
    assert.match(oneLineOfError(await start(layout, join(bare, "ghostinbox"), ["status"]).ended, 1), /npm run setup/);
  });
});

test("reports a hanging guard within seconds, and sends it no command", TIMED, async () => {
  let heard = "";
  await servedSocket((socket) => socket.on("data", (chunk) => (heard += chunk)), layout.controlSocket);
  const [status, ban] = await Promise.all([run("status"), run("ban 203.0.113.7")]);
  const says = /^The guard is not responding, .* not sent\. .* try again in a few seconds\.\n$/;
  for (const finished of [status, ban]) assert.match(oneLineOfError(finished, 1), says);
  assert.doesNotMatch(heard, /203\.0\.113\.7/);
});

test("uninstall without a terminal lists its steps and does nothing", { ...TIMED, ...ROOT }, async () => {
  const finished = await run("uninstall --purge-data");
  assert.equal(finished.code, 2);
  assert.match(finished.err, /- Delete .* with all mail/);
  assert.match(finished.err, /- Delete the firewall tables .* and ghostinbox_isolation, /);
  assert.match(finished.err, /There is no terminal to confirm on, so nothing was changed\. Use --yes/);
  assert.ok(existsSync(layout.settings));
});

test("without settings, the message also names the directory", () => {
  assert.equal(noServerIn(layout), null);
  assert.equal(notRunning(layout).next, howToStart());
  rmSync(layout.settings);
  assert.match(notRunning(layout).message, new RegExp(`^GhostInbox is not running\\. ${layout.data} has no server: `));
  assert.ok(notRunning(layout).next.startsWith(`${howToStart()} \`--data\` `));
});

test("uninstalls nothing from another program's directory", ROOT, async () => {
  const other = temporaryLayout();
  writeFileSync(join(other.data, "of-others"), "");
  const says = /^\S+ holds other programs' files and no ghostinbox\.toml, so nothing is uninstalled\. `--data` /;
  assert.match(oneLineOfError(await ghostinbox(other, ["uninstall"]), 1), says);
});

test("writes nothing in a wrong directory", ROOT, async () => {
  const other = temporaryLayout();
  const says = / has no server: it contains no ghostinbox\.toml\. `--data` or GHOSTINBOX_DATA names/;
  for (const line of ["incident open x", "backup create", `backup export ${other.data}`]) {
    assert.match(oneLineOfError(await ghostinbox(other, line.split(" ")), 1), says, line);
    assert.deepEqual(readdirSync(other.data), []);
  }
  const { code, out } = await ghostinbox(other, ["stop"]);
  assert.equal(code, 0);
  assert.equal(out, `GhostInbox is not running. ${other.data} has no server: it contains no ghostinbox.toml.\n`);
});
