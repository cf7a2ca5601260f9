// Invariant: An upgraded package never stops a working component: the new version checks the configuration first, and the restarts stop at one that does not answer.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { contentOf, put } from "../../../../test/kit/files.ts";
import { lacking } from "../../../../test/kit/needs.ts";
import { noteProcess } from "../../../../test/kit/supervised-process.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { until } from "../../../../test/kit/until.ts";
import { MINUTE_MS } from "../../../core/time.ts";
import type { Component } from "../../../host/debian/packages.ts";
import { createComponentWatch, replacedSinceStart } from "./watch-components.ts";

const DPKG = { skip: lacking({ installed: ["dpkg-query"] }) };

/** Components that Debian has upgraded, and the result for each. */
function upgraded(...outdated: readonly Component[]) {
  const directory = temporaryDirectory();
  const files = { directory, locks: join(directory, "locks") };
  mkdirSync(join(directory, "info"));
  for (const name of ["status", "locks", "lock-frontend"]) put(join(directory, name), "");
  const left = new Set<Component>(outdated);
  const refuses = new Map<Component, string>();
  const silent = new Map<Component, string>();
  const did: string[] = [];
  const watch = createComponentWatch({
    replaced: (component) => (left.has(component) ? `package ${component}` : null),
    check: (component) => {
      did.push(`check ${component}`);
      return Promise.resolve(refuses.get(component) ?? null);
    },
    restart: (component) => {
      did.push(`restart ${component}`);
      left.delete(component);
      return Promise.resolve(null);
    },
    answers: (component) => Promise.resolve(silent.get(component) ?? null),
    say: () => undefined,
    files,
  });
  /** Enough checks for a change that has settled. */
  const looks = async (nowMs = 0): Promise<readonly string[]> => {
    did.length = 0;
    for (let i = 0; i < 4; i += 1) await watch.look(nowMs);
    return [...did];
  };
  const details = (): readonly string[] => watch.troubles().map(({ code, detail }) => `${code} ${detail}`);
  return { watch, files, left, refuses, silent, looks, details };
}

test("upgraded components are checked and restarted one by one, dependencies first", DPKG, async () => {
  const { looks, details } = upgraded("fail2ban", "postfix", "unbound", "dovecot");
  const each = ["unbound", "dovecot", "postfix", "fail2ban"].flatMap((name) => [`check ${name}`, `restart ${name}`]);
  assert.deepEqual(await looks(), each);
  assert.deepEqual(details(), []);
  assert.deepEqual(await looks(), [], "once");
});

test("nothing is done while dpkg runs, or shortly after", DPKG, async () => {
  const { watch, files, looks } = upgraded("postfix");
  await watch.look(0);
  await watch.look(0);
  put(join(files.directory, "status"), "\n\n");
  const { ino } = statSync(join(files.directory, "lock-frontend"));
  put(files.locks, `1: POSIX  ADVISORY  WRITE 1 08:01:${ino} 0 EOF\n`);
  assert.deepEqual(await looks(), []);
  put(files.locks, "");
  assert.deepEqual(await looks(), ["check postfix", "restart postfix"]);
});

test("a component whose new version refuses the configuration keeps the old one; others restart", DPKG, async () => {
  const { refuses, looks, details } = upgraded("dovecot", "postfix");
  refuses.set("dovecot", "Dovecot refuses its configuration: line 3");
  assert.deepEqual(await looks(), ["check dovecot", "check postfix", "restart postfix"]);
  assert.deepEqual(details(), [
    "component_outdated dovecot: the old version keeps running, because the new one would not start. Dovecot refuses its configuration: line 3",
  ]);
  assert.deepEqual(await looks(9 * MINUTE_MS), []);
  refuses.clear();
  assert.deepEqual(await looks(10 * MINUTE_MS), ["check dovecot", "restart dovecot"]);
  assert.deepEqual(details(), []);
});

test("after a component that does not work again, no other is touched until it answers", DPKG, async () => {
  const { silent, looks, details } = upgraded("dovecot", "postfix");
  silent.set("dovecot", "The IMAP port does not answer");
  assert.deepEqual(await looks(), ["check dovecot", "restart dovecot"]);
  const reported = ["component_outdated dovecot: The IMAP port does not answer"];
  assert.deepEqual(details(), reported);
  for (const minutes of [10, 20]) {
    assert.deepEqual(await looks(minutes * MINUTE_MS), []);
    assert.deepEqual(details(), reported);
  }
  silent.clear();
  assert.deepEqual(await looks(30 * MINUTE_MS), ["check postfix", "restart postfix"]);
  assert.deepEqual(details(), []);
});

test("a component that did not work again is restarted first once its fixed version arrives", DPKG, async () => {
  const { files, left, refuses, silent, looks, details } = upgraded("unbound", "dovecot", "postfix");
  refuses.set("unbound", "unbound refuses its configuration");
  silent.set("dovecot", "The IMAP port does not answer");
  assert.deepEqual(await looks(), ["check unbound", "check dovecot", "restart dovecot"]);
  left.add("dovecot");
  put(join(files.directory, "status"), "\n\n");
  assert.deepEqual(await looks(), ["check dovecot", "restart dovecot"], "which does not answer either");
  assert.match(details().join(), /unbound refuses its configuration; dovecot: The IMAP port does not answer$/);
  left.add("dovecot");
  refuses.clear();
  silent.clear();
  put(join(files.directory, "status"), "\n\n\n");
  const each = ["dovecot", "unbound", "postfix"].flatMap((name) => [`check ${name}`, `restart ${name}`]);
  assert.deepEqual(await looks(), each);
  assert.deepEqual(details(), []);
});

test("a component whose package dpkg has not finished is not restarted, but reported", DPKG, async () => {
  const { files, looks, details } = upgraded("postgrey");
  const half = "Package: postgrey\nStatus: install ok half-configured\nArchitecture: all\nMaintainer: x\nVersion: 1\n";
  put(join(files.directory, "status"), `${half}Description: x\n`);
  assert.deepEqual(await looks(), []);
  const reported = "component_outdated postgrey: dpkg has not finished postgrey. Try: dpkg --configure -a";
  assert.deepEqual(details(), [reported]);
});

test("does nothing on a machine without dpkg", async () => {
  const { files, looks } = upgraded("postfix");
  rmSync(join(files.directory, "status"));
  assert.deepEqual(await looks(), []);
});

/** A service whose process was started an hour ago, and dpkg's files. */
function started(t: TestContext, program = "/bin/sleep") {
  const directory = temporaryDirectory();
  const services = join(directory, "services");
  const child = spawn(program, ["1000"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  const anHourAgo = Date.now() / 1_000 - 3_600;
  noteProcess(services, "postgrey", child.pid, anHourAgo);
  const list = join(directory, "info", "postgrey.list");
  const unpack = (seconds: number): void => {
    put(list, "");
    utimesSync(list, anHourAgo + seconds, anHourAgo + seconds);
  };
  const files = { directory, locks: "/proc/locks" };
  const look = (ofPackages?: RegExp) => replacedSinceStart("postgrey", services, files, ofPackages);
  return { pid: child.pid, unpack, look };
}

test("a package that was unpacked after the start counts, but not earlier, or in the future", (t) => {
  const { unpack, look } = started(t);
  assert.equal(look(), null);
  unpack(-60);
  assert.equal(look(), null);
  unpack(60);
  assert.equal(look(), "package postgrey");
  unpack(7_200);
  assert.equal(look(), null, "the clock was set back");
});

test("a replaced program or library of the system counts, other files do not", async (t) => {
  // Deleted files below /dev are shared memory, and tests may keep their files there.
  const program = join(temporaryDirectory("/var/tmp"), "sleeper");
  copyFileSync("/bin/sleep", program);
  const { pid, look } = started(t, program);
  // Its code is mapped shortly after it starts (execve(2)).
  await until(() => contentOf(`/proc/${pid}/maps`).includes(program));
  assert.equal(look(/sleeper$/), null);
  rmSync(program);
  assert.deepEqual([look(/sleeper$/), look()], [program, null]);
});

test("a service that is down is not outdated", () => {
  assert.equal(replacedSinceStart("postgrey", temporaryDirectory()), null);
});
