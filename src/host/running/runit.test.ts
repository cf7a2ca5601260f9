import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { mailServices } from "../../mail/configuration/mail-services.ts";
import { renderDovecot } from "../../mail/dovecot/dovecot-conf.ts";
import { layoutOf } from "../../settings/layout.ts";
import { settingsFile, WEB_KEYS } from "../../settings/program-settings.ts";
import { ENDS_LEFTOVER, MAY_STAND_IN, type RunitInput, renderRunit, SERVICES } from "./runit.ts";

const layout = layoutOf("/srv/mail");

const mail = mailServices(layout, { spam: 2, fail2ban: true });
const input = (changes: Partial<RunitInput> = {}) => ({ layout, netAdmin: true, mail, export: true, ...changes });

function runs(changes: Partial<RunitInput> = {}): ReadonlyMap<string, string> {
  return new Map(renderRunit(input(changes)).map(({ service, run }) => [service, run]));
}

function runOf(service: string, changes: Partial<RunitInput> = {}): string {
  return runs(changes).get(service) ?? "";
}

test("every service has a script that becomes its program, and its own log", () => {
  assert.deepEqual([...runs().keys()], [...SERVICES]);
  for (const run of runs().values()) assert.match(run, /^#!\/bin\/sh\nexec 2>&1\n(.*\n){5,9}exec .*\n$/);
  for (const { service, logRun } of renderRunit(input()))
    assert.ok(logRun.includes(`svlogd -tt /srv/mail/log/${service}\n`));
});

test("a process left by a killed runsv, and no other, ends before its service starts again", async (t) => {
  const directory = temporaryDirectory();
  const start = (program: string) => {
    const child = spawn("sh", ["-c", `${ENDS_LEFTOVER}\n${program}`], {
      cwd: directory,
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    return child;
  };
  const first = start("echo runs; exec sleep 60");
  await once(first.stdout, "data");
  const ended = once(first, "exit");
  const second = start("echo runs; exec sleep 60");
  await once(second.stdout, "data");
  assert.deepEqual(await ended, [null, "SIGTERM"]);
  const stubborn = start("trap '' TERM; echo runs; while :; do sleep 1; done");
  await once(stubborn.stdout, "data");
  // Its process id now belongs to another process.
  const other = spawn("sleep", ["60"]);
  t.after(() => other.kill());
  writeFileSync(join(directory, "started"), `${other.pid} 1\n`);
  const third = start("echo runs");
  await once(third, "exit");
  assert.equal(other.exitCode ?? other.signalCode, null);
});

test("the guard has only CAP_NET_ADMIN, and not even that if the start lacks it", () => {
  assert.match(runOf("guard"), /--reuid ghostinbox .*--bounding-set=-all,\+net_admin --no-new-privs/);
  assert.match(runOf("guard", { netAdmin: false }), /--bounding-set=-all --no-new-privs/);
  assert.match(runOf("guard"), / env MALLOC_MMAP_THRESHOLD_=32768 setpriv /, "memory of a password check is returned");
});

test("if memory runs out, the kernel ends other programs before the guard", () => {
  const first = SERVICES.filter((service) => /^choom -n 300 -p \$\$ .* \|\| :$/m.test(runOf(service)));
  assert.deepEqual(first, ["dovecot", "spamd", "rspamd", "fail2ban"]);
});

test("the guard has the highest priority; programs that read whole mails or logs come after the mail servers", () => {
  const sets = /^\{ renice -n (-?\d+) -p \$\$; echo \1 >\/proc\/self\/autogroup; \} .* \|\| :$/m;
  const weight = (service: string): number => Number(sets.exec(runOf(service))?.[1] ?? 0);
  const last = SERVICES.filter((service) => weight(service) > 0);
  assert.deepEqual(last, ["spamd", "spam-head", "spamass-milter", "rspamd", "fail2ban", "export"]);
  const first = SERVICES.filter((service) => weight(service) < 0);
  assert.deepEqual(first, ["guard"]);
});

const ofGuard = (): Readonly<{ run: string; finish: string }> => {
  const { run, finish } = renderRunit(input()).find(({ service }) => service === "guard") ?? assert.fail();
  return { run, finish };
};

test("the stand-in runs as the guard's user without capabilities, and none starts while the server stops", () => {
  const { run, finish } = ofGuard();
  const [, stopped = "", started = ""] =
    /\n(grep .* && exit 0)\nif test .*; then (.*stand-in\.js.* &) fi\n/.exec(finish) ?? [];
  assert.match(stopped, /want exit/);
  const standIn = /--reuid ghostinbox .*--bounding-set=-all .*stand-in\.js \/srv\/mail "\$\(sed .*\)" \$PPID .* &$/;
  assert.match(started, standIn);
  assert.ok(run.includes(`stand-in.sock || ${started} fi\n`));
});

test("no stand-in answers between the end of a hanging guard and its next start, even if no file can be created", () => {
  const cwd = temporaryDirectory();
  const mark = join(cwd, MAY_STAND_IN);
  /** Whether the script starts a stand-in. */
  const opens = (text: string): boolean => {
    const lines = text.split("\n").filter((line) => line.includes(MAY_STAND_IN));
    const played = lines.join("\n").replace(/env -i .*stand-in\.js.*? &/, "echo opens &");
    // A check in the background would see the mark that the next line creates.
    const slowly = 'test() { sleep 0.05; command test "$@"; }';
    const ran = spawnSync("sh", ["-c", `${slowly}\n${played}\necho ends`], { cwd, encoding: "utf8" });
    assert.match(ran.stdout, /^ends$/m);
    return /^opens$/m.test(ran.stdout);
  };
  const { run, finish } = ofGuard();
  writeFileSync(mark, "");
  assert.deepEqual([opens(run), opens(finish)], [true, true], "after an accident");
  rmSync(mark);
  assert.deepEqual([opens(finish), opens(run)], [false, false], "the keeper killed it");
  assert.deepEqual([opens(finish), opens(run)], [true, true], "after the next accident");
  rmSync(mark);
  // Cannot be created.
  symlinkSync(join(cwd, "nowhere", "file"), mark);
  assert.deepEqual([opens(finish), opens(run), opens(finish)], [false, false, false]);
});

test("the web has no capability except for a port below 1024 in the settings in force", () => {
  const changed = temporaryLayout("webSettings");
  const lines = runOf("web", { layout: changed }).split("\n");
  const script = lines.filter((line) => line.includes("web.js")).join("\n");
  const played = script.replace(/exec .*?--reuid (\S+) .*?--ambient-caps=(\S+) .*?web\.js/g, "exec echo $1 $2");
  for (const [port, capabilities] of [
    ["3000", "-all"],
    ["443", "-all,+net_bind_service"],
  ] as const) {
    const { sources } = loadValid('domains = ["example.org"]\n', { GHOSTINBOX_PORTS__HTTP: port });
    writeFileSync(changed.webSettings, settingsFile(WEB_KEYS, sources));
    assert.equal(spawnSync("sh", ["-c", played], { encoding: "utf8" }).stdout, `ghostinbox-web ${capabilities}\n`);
  }
});

test("the stand-in listens at the port where Dovecot asks now", () => {
  const changed = temporaryLayout("dovecotConf");
  const { ports } = sampleSite();
  for (const loginPolicy of [10_025, 12_345]) {
    const { text } = renderDovecot(sampleSite({ ports: { ...ports, loginPolicy } }))[0] ?? assert.fail();
    writeFileSync(changed.dovecotConf, text);
    const [started = ""] = /stand-in\.js \S+ "\$\(.*?\)"/.exec(runOf("guard", { layout: changed })) ?? [];
    const played = started.replace("stand-in.js", "echo");
    assert.equal(spawnSync("sh", ["-c", played], { encoding: "utf8" }).stdout, `${changed.data} ${loginPolicy}\n`);
  }
});

test("the exporter runs only if it is enabled, as its own user without capabilities", () => {
  const exporter = /--reuid ghostinbox-export .*--ambient-caps=-all .*\/export\.js$/m;
  assert.match(runOf("export"), exporter);
  assert.equal(runs({ export: false }).has("export"), false);
});
