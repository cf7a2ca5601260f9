import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { controlFile, debianVersion, dependenciesOf, md5sums } from "../../scripts/debian/control.ts";
import { asPackaged, installedKib, modulesOf, setModes } from "../../scripts/debian/lay-files.ts";
import { VERSION } from "../../src/core/version.ts";
import { lacking } from "../kit/needs.ts";
import { temporaryDirectory } from "../kit/temporary-directory.ts";

const SCRIPTS = ["preinst", "postinst", "prerm", "postrm", "config"].map((name) => `scripts/debian/${name}`);
/** Warnings to ignore, because debconf's library is on the machine, and its commands set RET. */
const FROM_DEBCONF = ["SC1091", "SC2154"];

test("the package depends on what set-up would install", () => {
  const depends = dependenciesOf(readFileSync("scripts/setup", "utf8"));
  const bound = "dovecot-core (<< 1:2.4~) | dovecot-core (>= 2:2.3)";
  for (const name of ["postfix", "dovecot-core", "runit", "libatomic1", "systemd", bound])
    assert.ok(depends.includes(name), name);
  assert.ok(!depends.includes("busybox-syslogd"), "systemd takes what programs log");
  assert.throws(() => dependenciesOf("PACKAGES=nothing"));
});

test("it states its version, processor and size in dpkg's format", () => {
  const version = debianVersion(3);
  assert.equal(version, `${VERSION}-3`);
  const control = controlFile({ version, arch: "arm64", depends: ["a", "b"], installedKib: 7 });
  for (const line of [`Version: ${VERSION}-3`, "Architecture: arm64", "Installed-Size: 7", "Depends: a, b"])
    assert.ok(control.split("\n").includes(line), line);
});

test("it contains the modules that run, for both processors, and none that only development needs", () => {
  const modules = modulesOf(readFileSync("package-lock.json", "utf8"));
  const forBoth = ["x64", "arm64"].flatMap((processor) => [`node-linux-${processor}`, `@esbuild/linux-${processor}`]);
  for (const name of ["hono", "esbuild", ...forBoth]) assert.ok(modules.includes(`node_modules/${name}`), name);
  for (const name of ["typescript", "fast-check"]) assert.ok(!modules.includes(`node_modules/${name}`), name);
});

test("its pages name commands that exist in it", () => {
  const said = asPackaged(readFileSync("docs/set-up.md", "utf8"));
  assert.doesNotMatch(said, /allow-remove|in advance/);
  assert.equal(
    asPackaged("GHOSTINBOX_DOMAIN=a npm start"),
    "echo GHOSTINBOX_DOMAIN=a >> /etc/default/ghostinbox && systemctl start ghostinbox",
  );
});

test("files whose names start with a dot have checksums, modes and a size like all others", () => {
  const stage = temporaryDirectory();
  const hidden = join(stage, "usr/.cache");
  for (const directory of [hidden, join(stage, "etc")]) mkdirSync(directory, { recursive: true });
  writeFileSync(join(hidden, "built"), "x".repeat(4000));
  writeFileSync(join(stage, "etc/default"), "");
  symlinkSync("usr", join(stage, "link"));
  chmodSync(hidden, 0o700);
  chmodSync(join(hidden, "built"), 0o600);
  writeFileSync(join(hidden, ".more"), "x".repeat(3000), { mode: 0o700 });
  assert.equal(installedKib(stage), 4 + 3 + 4, "both, three directories and the link; an empty file takes nothing");
  assert.equal(execFileSync("md5sum", ["--check", "--quiet"], { cwd: stage, input: md5sums(stage) }).length, 0);
  assert.deepEqual(md5sums(stage).match(/ {2}.*/g), ["  usr/.cache/.more", "  usr/.cache/built"]);
  setModes(stage);
  const modes = ["", "built", ".more"].map((name) => statSync(join(hidden, name)).mode & 0o777);
  assert.deepEqual(modes, [0o755, 0o644, 0o755]);
});

test("shellcheck finds nothing in what dpkg runs", { skip: lacking({ installed: ["shellcheck"] }) }, () => {
  const argv = ["--shell=sh", `--exclude=${FROM_DEBCONF.join()}`, ...SCRIPTS];
  assert.equal(execFileSync("shellcheck", argv, { encoding: "utf8" }), "");
});

/** Runs in a separate network, because a test must not touch this machine's firewall. */
const LEFT = `
  for table in ghostinbox ghostinbox_strict ghostinbox_isolation another; do nft add table inet $table; done
  for why in upgrade remove remove; do sh scripts/debian/prerm $why; echo $why; nft list tables; done`;

test("its removal clears the rules that a failed server left in the firewall, an upgrade does not", {
  skip: lacking({ root: true, installed: ["unshare", "nft"] }),
}, () => {
  const programs = temporaryDirectory();
  // Nor may it stop a server of this machine.
  symlinkSync("/bin/true", join(programs, "systemctl"));
  const env = { PATH: `${programs}:${process.env["PATH"]}` };
  const shown = execFileSync("unshare", ["--net", "sh", "-ec", LEFT], { env, encoding: "utf8" });
  const ours = ["ghostinbox", "ghostinbox_strict", "ghostinbox_isolation"];
  const listing = (why: string, ...tables: readonly string[]) =>
    [why, ...tables.map((table) => `table inet ${table}`), ""].join("\n");
  const removed = listing("remove", "another");
  assert.equal(shown, `${listing("upgrade", ...ours, "another")}${removed}${removed}`);
});
