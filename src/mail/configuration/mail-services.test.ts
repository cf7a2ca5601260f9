import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { CHECKED } from "../../host/running/runit.ts";
import { writeServices } from "../../host/running/supervise.ts";
import { layoutOf } from "../../settings/layout.ts";
import { notStartedWith } from "../../settings/program-settings.ts";
import { forgetsEnded, mailServices, sinceStart } from "./mail-services.ts";

const services = mailServices(layoutOf("/srv/mail"), { spam: 2, fail2ban: true });
const runOf = (service: keyof typeof services): string => services[service]?.run.join("\n") ?? assert.fail();

test("SpamAssassin and Fail2ban run only if they are enabled", () => {
  const without = mailServices(layoutOf("/srv/mail"), { spam: 0, fail2ban: false });
  const left = Object.keys(services).filter((service) => !Object.keys(without).includes(service));
  assert.deepEqual(left, ["spamd", "spam-head", "spamass-milter", "fail2ban"]);
});

test("the services show with which settings the server was started, whatever was applied since", () => {
  const layout = temporaryLayout();
  const { sources } = loadValid("spam.processes = 3\nfail2ban.enabled = false");
  const waiting = () => notStartedWith(sources, sinceStart(layout));
  assert.deepEqual(waiting(), { "spam.enabled": "false" });
  mkdirSync(layout.services);
  writeServices({ layout, netAdmin: true, export: false, mail: mailServices(layout, { spam: 2, fail2ban: true }) });
  assert.deepEqual(waiting(), { "fail2ban.enabled": "true", "spam.processes": "2" });
});

test("Dovecot may have as many open files as its services have clients", () => {
  assert.match(runOf("dovecot"), /^exec chpst -o 65536 dovecot -F /m);
});

test("Unbound leaves Debian's AppArmor profile, but no other one", () => {
  const [choose = "", run = ""] = runOf("unbound").split("\n");
  assert.match(run, /^exec setpriv --reuid unbound .* \$profile unbound -d -p -c \/srv\/mail\/conf\/unbound\//);
  const chosen = (current: string, there = true): string => {
    const file = join(temporaryDirectory(), "current");
    writeFileSync(file, current);
    const command = choose
      .replace("/sys/kernel/security/apparmor", there ? file : `${file}.missing`)
      .replace("/proc/self/attr/current", file);
    return execFileSync("sh", ["-c", `${command}; echo "$profile"`]).toString();
  };
  assert.equal(chosen("unconfined\n"), "--apparmor-profile=unconfined\n");
  for (const other of ["docker-default (enforce)\n", "unconfined_u:unconfined_r:unconfined_t:s0\0", ""])
    assert.equal(chosen(other), "\n", other);
  assert.equal(chosen("unconfined\n", false), "\n", "a privileged container");
});

test("Dovecot starts even if another process has its previous process id", async (t) => {
  const directory = temporaryDirectory();
  const file = join(directory, "master.pid");
  const remains = (pid: number | undefined): boolean => {
    writeFileSync(file, `${pid}\n`);
    execFileSync("sh", ["-c", forgetsEnded(file)]);
    return existsSync(file);
  };
  assert.equal(remains(process.pid), false);
  rmSync(file, { force: true });
  execFileSync("sh", ["-c", forgetsEnded(file)]);
  copyFileSync("/bin/sleep", join(directory, "dovecot"));
  const dovecot = spawn(join(directory, "dovecot"), ["60"], { stdio: "ignore" });
  t.after(() => dovecot.kill());
  await once(dovecot, "spawn");
  assert.equal(remains(dovecot.pid), true);
  assert.match(runOf("dovecot"), /\/run\/dovecot\/master\.pid\nexec chpst/);
});

test("Postfix is checked before each run but the first, which the start has checked, and leads its own process group", () => {
  const command = /^(.* \|\| postfix -c \/srv\/mail\/conf\/postfix check .*)\nexec chpst -P .*master /m;
  const check = command.exec(runOf("postfix"))?.[1] ?? assert.fail();
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, CHECKED), "");
  const codes = [1, 2].map(() => spawnSync("sh", ["-c", `${check}\nexit 0`], { cwd }).status);
  // The directory does not exist: its check fails.
  assert.deepEqual(codes, [0, 1]);
});

test("a slow disk does not keep Dovecot from starting", () => {
  assert.match(runOf("dovecot"), /^timeout 20 setpriv .* find .* \|\| :$/m);
});
