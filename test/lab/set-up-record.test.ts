import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { parseBesides } from "../../src/daemon/set-up/installed-besides.ts";

/** Set-up's own functions on another /etc; only apt-get and dpkg are played. */
const INSTALL = `
  eval "$(sed "/^main /d; s|/var/lib/dpkg|$ROOT/dpkg|g; s|/usr/sbin|$ROOT/sbin|g; s|/etc|$ROOT/etc|g" scripts/setup)"
  dpkg-query() { :; }
  is_installed() { return 0; }
  stop_services() { :; }
  apt-get() {
    [ "$1" = install ] || return 0
    echo "u$NAME:x:1::::" >>"$ROOT/etc/passwd"
    mkdir -p "$ROOT/etc/$NAME"
    echo left >"$ROOT/etc/$NAME/left"
    eval "$END"
  }
  install_debian "Inst $NAME (1.0 Debian:12)" "$NAME"`;

describe("set-up's record of what packages bring besides", () => {
  let root = "";
  const inData = (name: string): string => join(root, "data", name);
  beforeEach(() => {
    root = mkdtempSync(join("/var/tmp", "gi-besides-"));
    for (const name of ["etc", "dpkg/info", "sbin"]) mkdirSync(join(root, name), { recursive: true });
    for (const name of ["etc/passwd", "etc/group", "dpkg/info/a.list"]) writeFileSync(join(root, name), "");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** How apt-get ends, as a command of the shell. */
  function setUp(name: string, end: string) {
    const env = { ...process.env, GHOSTINBOX_DATA: join(root, "data"), ROOT: root, TMPDIR: root, NAME: name, END: end };
    return spawnSync("bash", ["-c", INSTALL, "scripts/setup"], { env, encoding: "utf8" });
  }
  function administratorWorks(): void {
    appendFileSync(join(root, "etc/passwd"), "admin:x:2::::\n");
    writeFileSync(join(root, "etc/precious"), "precious");
  }
  /** As far as the names are concerned: uninstall takes only what lies in the real /etc. */
  function recorded(): readonly string[] {
    const text = readFileSync(inData("installed-besides"), "utf8").replaceAll(root, "");
    const { users, files, directories } = parseBesides(text);
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
    test(`where it ${how}, takes what came so far, and nothing that the administrator makes later`, () => {
      const first = setUp("a", end);
      assert.equal(first.status, status, first.stderr);
      assert.deepEqual(recorded(), leftBy("a"));
      assert.ok(!existsSync(inData("besides-before")));
      assert.ok(!existsSync(join(root, "sbin/policy-rc.d")), "services may start again");
      administratorWorks();
      assert.equal(setUp("b", "return 0").status, 0);
      assert.deepEqual(recorded(), leftBy("a", "b"));
    });

  test("where it is killed, the next one trusts no list from before, and says so", () => {
    assert.equal(setUp("a", "kill -KILL $$").signal, "SIGKILL");
    administratorWorks();
    rmSync(join(root, "sbin/policy-rc.d"));
    const second = setUp("b", "return 0");
    assert.equal(second.status, 0, second.stderr);
    assert.match(second.stdout, /An earlier set-up was killed/);
    assert.deepEqual(recorded(), leftBy("b"));
  });
});
