import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { parseBesides } from "../../src/jobs/uninstall/installed-besides.ts";

/** Set-up's own functions on another /etc; only apt-get and dpkg are simulated. */
const INSTALL = `
  eval "$(sed "/^main /d; s|/var/lib/dpkg|$ROOT/dpkg|g; s|/usr/sbin|$ROOT/sbin|g; s|/etc|$ROOT/etc|g" scripts/setup)"
  dpkg-query() { cat "$ROOT/states"; }
  apt-mark() { if [ "$1" = auto ]; then echo "$2" >>"$ROOT/auto"; else cat "$ROOT/auto" 2>/dev/null || true; fi; }
  is_installed() { return 0; }
  stop_services() { :; }
  apt-get() {
    [ "$1" = install ] || return 0
    echo "u$NAME:x:1::::" >>"$ROOT/etc/passwd"
    mkdir -p "$ROOT/etc/$NAME"
    echo left >"$ROOT/etc/$NAME/left"
    eval "$END"
  }
  install_debian "new $NAME
new also-$NAME
removed other-$NAME" "$NAME"`;

describe("set-up's record of what else packages bring", () => {
  let root = "";
  const inData = (name: string): string => join(root, "data", name);
  beforeEach(() => {
    root = mkdtempSync(join("/var/tmp", "gi-besides-"));
    for (const name of ["etc", "dpkg/info", "sbin"]) mkdirSync(join(root, name), { recursive: true });
    for (const name of ["etc/passwd", "etc/group", "dpkg/info/a.list", "states"]) writeFileSync(join(root, name), "");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** How apt-get ends, as a shell command. */
  function setUp(name: string, end: string) {
    const env = { ...process.env, GHOSTINBOX_DATA: join(root, "data"), ROOT: root, TMPDIR: root, NAME: name, END: end };
    return spawnSync("bash", ["-c", INSTALL, "scripts/setup"], { env, encoding: "utf8" });
  }
  function administratorWorks(): void {
    appendFileSync(join(root, "etc/passwd"), "admin:x:2::::\n");
    writeFileSync(join(root, "etc/precious"), "precious");
  }
  const besides = () => parseBesides(readFileSync(inData("installed-besides"), "utf8").replaceAll(root, ""));
  /** Only by name: uninstall removes only files in the real /etc. */
  function recorded(): readonly string[] {
    const { users, files, directories } = besides();
    return [...users, ...files.map(({ path }) => path), ...directories].toSorted();
  }
  const leftBy = (...names: readonly string[]): readonly string[] =>
    names.flatMap((name) => [`/etc/${name}`, `/etc/${name}/left`, `u${name}`]).toSorted();

  for (const [how, end, status] of [
    ["fails", "return 1", 1],
    ["is interrupted", "kill -INT $$", 130],
    ["is ended", "kill -TERM $$", 143],
    ["loses its terminal", "kill -HUP $$", 129],
  ] as const)
    test(`if set-up ${how}, has what came so far, and nothing that the administrator makes later`, () => {
      const first = setUp("a", end);
      assert.equal(first.status, status, first.stderr);
      assert.deepEqual(recorded(), leftBy("a"));
      assert.ok(!existsSync(inData("besides-before")));
      assert.ok(!existsSync(join(root, "sbin/policy-rc.d")), "services may start again");
      administratorWorks();
      assert.equal(setUp("b", "return 0").status, 0);
      assert.deepEqual(recorded(), leftBy("a", "b"));
    });

  test("if set-up fails, lists only packages that came, and as removed only those that are gone", () => {
    writeFileSync(join(root, "states"), "config-files also-b\ninstalled other-a\ninstalled other-b\n");
    const packages = (): string => readFileSync(inData("installed-packages"), "utf8");
    const toStop = (): string => readFileSync(inData("services-to-stop"), "utf8");
    // One of the two packages is unpacked.
    assert.equal(setUp("a", 'echo "unpacked a" >>"$ROOT/states"; return 1').status, 1);
    assert.deepEqual([packages(), toStop(), besides().removed], ["a\n", "a\n", []]);
    assert.equal(setUp("b", "kill -KILL $$").signal, "SIGKILL");
    assert.deepEqual([packages(), toStop()], ["a\nalso-b configured\nb\n", "a\nalso-b\nb\n"]);
    assert.deepEqual(besides().removed, ["other-b"]);
    const done = 'sed -i "/other-c/d" "$ROOT/states"; printf "installed c\\ninstalled also-c\\n" >>"$ROOT/states"';
    assert.equal(setUp("c", done).status, 0);
    assert.equal(packages(), "a\nalso-c\nc\n");
    assert.ok(!existsSync(inData("services-to-stop")));
    assert.deepEqual(besides().removed, ["other-c"]);
  });

  test("if set-up fails, keeps apt's marks, which apt forgets before it removes anything", () => {
    writeFileSync(join(root, "states"), "installed other-a\n");
    writeFileSync(join(root, "auto"), "other-a\n");
    assert.equal(setUp("a", 'rm "$ROOT/auto"; return 1').status, 1);
    assert.equal(readFileSync(join(root, "auto"), "utf8"), "other-a\n");
    assert.equal(setUp("a", 'echo "config-files other-a" >"$ROOT/states"; rm "$ROOT/auto"; return 1').status, 1);
    assert.deepEqual(besides().auto, ["other-a"]);
    assert.ok(!existsSync(join(root, "auto")));
  });

  test("is in directories that all may enter, whatever root's umask", () => {
    const record = 'eval "$(sed "/^main /d" scripts/setup)"; umask 077; echo postfix | record installed-packages';
    const env = { ...process.env, GHOSTINBOX_DATA: join(root, "mail/data") };
    assert.equal(spawnSync("bash", ["-c", record, "scripts/setup"], { env }).status, 0);
    assert.equal(statSync(join(root, "mail")).mode & 0o777, 0o755);
    assert.equal(statSync(join(root, "mail/data/installed-packages")).mode & 0o777, 0o600);
  });

  test("has the mode and owner that a package changed, and those before", () => {
    for (const [name, mode] of Object.entries({ keys: 0o700, open: 0o755, kept: 0o755 }))
      mkdirSync(join(root, "etc", name), { mode });
    const change = 'chmod 750 "$ROOT/etc/keys"; chmod 700 "$ROOT/etc/open"; return 0';
    assert.equal(setUp("a", change).status, 0);
    const own = `${process.getuid?.()}:${process.getgid?.()}`;
    assert.deepEqual(besides().modes, [
      { path: "/etc/open", now: `700 ${own}`, before: `755 ${own}` },
      { path: "/etc/keys", now: `750 ${own}`, before: `700 ${own}` },
    ]);
  });

  test("if set-up is killed, is not trusted by the next set-up, which says so", () => {
    assert.equal(setUp("a", "kill -KILL $$").signal, "SIGKILL");
    assert.ok(existsSync(join(root, "sbin/policy-rc.d")));
    administratorWorks();
    const second = setUp("b", "return 0");
    assert.equal(second.status, 0, second.stderr);
    assert.match(second.stdout, /An earlier set-up was killed/);
    assert.deepEqual(recorded(), leftBy("b"));
    assert.ok(!existsSync(join(root, "sbin/policy-rc.d")), "services may start again");
  });

  test("leaves the administrator's own policy for services unchanged", () => {
    const policy = join(root, "sbin/policy-rc.d");
    writeFileSync(policy, "#!/bin/sh\nexit 101\n");
    assert.equal(setUp("a", "return 0").status, 0);
    assert.equal(readFileSync(policy, "utf8"), "#!/bin/sh\nexit 101\n");
  });
});
