import assert from "node:assert/strict";
import { copyFileSync, existsSync, globSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { servedSocket } from "../../../test/kit/served.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import {
  dataDirectory,
  ghostinbox,
  json,
  oneLineOfError,
  PASSWORD,
  start,
  TIMED,
} from "../../../test/kit/test-guard.ts";
import { NOT_RUNNING, noServerIn, notRunning } from "./call.ts";
import { commands } from "./commands.ts";

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
  /** Commands that work without the guard, by name or group. Their own tests cover them; the kernel or the keeper answers some. */
  const offline = [
    "backup",
    "break-glass",
    "completion",
    "config check",
    "config reference",
    "config set",
    "config show",
    "config unset",
    "dns",
    "fail2ban test",
    "firewall",
    "incident",
    "logs",
    "rollback",
    "sendmail",
    "service",
    "stop",
    "uninstall",
    "upgrade",
  ];
  const isOffline = (name: string): boolean => offline.some((one) => `${name} `.startsWith(`${one} `));

  for (const { name, usage } of commands.filter((command) => !isOffline(command.name)))
    test(`${name} exits with 3 and touches no file`, async () => {
      using layout = dataDirectory();
      const files = globSync(`${layout.data}/**/*`);
      const args = usage.split(" ").flatMap((place) => sample[place] ?? []);
      const finished = await ghostinbox(layout, [...name.split(" "), ...args], `${PASSWORD}\n`);
      assert.equal(oneLineOfError(finished, 3), "GhostInbox is not running. Start it with `npm start`.\n");
      assert.deepEqual(globSync(`${layout.data}/**/*`), files);
    });

  test("stopping a stopped server succeeds", ROOT, async () => {
    using layout = dataDirectory();
    const finished = await ghostinbox(layout, ["stop"]);
    assert.deepEqual([finished.code, finished.out], [0, "GhostInbox is not running.\n"], finished.err);
    assert.deepEqual(json(await ghostinbox(layout, ["stop", "--json"])), { stopped: true, wasRunning: false });
  });

  test("checks and explains the settings", async () => {
    using layout = dataDirectory();
    const right = { ok: true, problems: [], warnings: [] };
    assert.deepEqual(json(await ghostinbox(layout, ["config", "check", "--json"])), right);
    assert.match((await ghostinbox(layout, ["config", "reference"])).out, /^# limits\.mail\.per_minute = 10$/m);
    writeFileSync(layout.settings, 'domain = ["example.org"]\n[limits.mail]\nper_minute = "x"\n');
    const wrong = await ghostinbox(layout, ["config", "check"]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /^- domain is not a setting; the nearest is domains\.$/m);
    assert.match(wrong.err, /2 settings are wrong/);
  });

  test("nonsense exits with 2", async () => {
    using layout = dataDirectory();
    for (const line of ["why 203.0.113.300", "ban all", "ban 203.0.113.7 --for ever", "events --type login_faild"])
      oneLineOfError(await ghostinbox(layout, line.split(" ")), 2);
  });

  test("without set-up the program explains how to do it", async () => {
    const bare = temporaryDirectory();
    copyFileSync("ghostinbox", join(bare, "ghostinbox"));
    using layout = dataDirectory();
    const { child, ended } = start(layout, join(bare, "ghostinbox"), ["status"]);
    child.stdin.end();
    assert.match(oneLineOfError(await ended, 1), /npm run setup/);
  });
});

test("reports a hanging guard within seconds, and sends it no command", TIMED, async () => {
  using layout = dataDirectory();
  let heard = "";
  await servedSocket((socket) => socket.on("data", (chunk) => (heard += chunk)), layout.controlSocket);
  const [status, ban] = await Promise.all([ghostinbox(layout, ["status"]), ghostinbox(layout, ["ban", "203.0.113.7"])]);
  const says = /^The guard hangs: .* not sent this command\. .* try again in some seconds\.\n$/;
  for (const finished of [status, ban]) assert.match(oneLineOfError(finished, 1), says);
  assert.doesNotMatch(heard, /203\.0\.113\.7/);
});

test("uninstall without a terminal lists its steps and does nothing", { ...TIMED, ...ROOT }, async () => {
  using layout = dataDirectory();
  const finished = await ghostinbox(layout, ["uninstall", "--purge-data"]);
  assert.equal(finished.code, 2);
  assert.match(finished.err, /- Delete .* with all mail/);
  assert.match(finished.err, /- Delete the firewall tables .* and ghostinbox_isolation, /);
  assert.match(finished.err, /No terminal to ask on: nothing was changed\. Give --yes/);
  assert.ok(existsSync(layout.settings));
});

test("without settings, the message also names the directory", () => {
  const layout = temporaryLayout();
  assert.match(notRunning(layout).message, new RegExp(`^GhostInbox is not running\\. ${layout.data} has no server: `));
  assert.match(notRunning(layout).next, /^Start it with `npm start`\. `--data` /);
  writeFileSync(layout.settings, "");
  assert.equal(noServerIn(layout), null);
  assert.deepEqual(notRunning(layout), NOT_RUNNING);
});

test("uninstalls nothing from another program's directory", ROOT, async () => {
  const layout = temporaryLayout();
  writeFileSync(join(layout.data, "of-others"), "");
  const { code, err } = await ghostinbox(layout, ["uninstall"]);
  assert.equal(code, 1);
  assert.match(err, /^\S+ holds other programs' files and no ghostinbox\.toml, so nothing is uninstalled\. `--data` /);
});

test("writes nothing in a wrong directory", ROOT, async () => {
  const layout = temporaryLayout();
  const says = / has no server: it contains no ghostinbox\.toml\. `--data` or GHOSTINBOX_DATA names/;
  for (const words of [
    ["incident", "open", "x"],
    ["backup", "create"],
    ["backup", "export", layout.data],
  ]) {
    assert.match(oneLineOfError(await ghostinbox(layout, words), 1), says, words.join(" "));
    assert.deepEqual(readdirSync(layout.data), []);
  }
});
