import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { OWN_ETC } from "../../../test/kit/own-etc.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { instant } from "../../core/time.ts";
import { runProgram } from "../machine/run-program.ts";
import { fetchLists, knownHoles, readDebsecan, readUpgrade, waitingUpdates } from "./updates.ts";

test("lists that a container cannot keep are not fetched, with the reason", OWN_ETC, async () => {
  using run = tmpfs(join(temporaryDirectory(), "run"), "ro");
  const why = await fetchLists(instant(0), join(run.path, "apt", "lists"));
  assert.match(why ?? "", /^Debian's lists of packages cannot be fetched: EROFS: read-only file system/);
});

/** A stand-in for debsecan. */
function sources(script: string | null, codename = "bookworm") {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  const lists = join(directory, "lists");
  mkdirSync(lists);
  const osRelease = join(directory, "os-release");
  writeFileSync(osRelease, `ID=debian\nVERSION_CODENAME=${codename}\n`);
  const debsecan = join(directory, "debsecan");
  if (script !== null) writeFileSync(debsecan, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { lists, debsecan, osRelease };
}

/** Fields as deb-control(5) writes them. */
function paragraph(fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  return `${lines.join("")}\n`;
}

/** Makes a machine with one kernel and an archive with the next. Returns an apt configuration that shows only these. */
async function nextKernel(directory: string): Promise<string> {
  const at = (name: string): string => join(directory, name);
  for (const name of ["state/lists/partial", "cache/archives/partial", "etc", "archive"])
    mkdirSync(at(name), { recursive: true });
  const kernel = (abi: number) => ({ Package: `linux-image-${abi}`, Version: `6.1.${abi}`, Architecture: "all" });
  const newest = (abi: number) => ({ ...kernel(abi), Package: "linux-image", Depends: `linux-image-${abi}` });
  const installed = { Status: "install ok installed", Maintainer: "Lab <lab@example.test>" };
  const status = [newest(40), kernel(40)].map((one) => paragraph({ ...one, ...installed }));
  writeFileSync(at("status"), status.join(""));
  const file = { Filename: "./none.deb", Size: "1", SHA256: "0".repeat(64) };
  const packages = [newest(41), kernel(41)].map((one) => paragraph({ ...one, ...file })).join("");
  writeFileSync(at("archive/Packages"), packages);
  const hash = createHash("sha256").update(packages).digest("hex");
  const release = { Origin: "Debian", Label: "Debian-Security", Suite: "stable-security", Version: "12" };
  const dated = { ...release, Date: new Date().toUTCString(), SHA256: `\n ${hash} ${packages.length} Packages` };
  writeFileSync(at("archive/Release"), paragraph(dated));
  writeFileSync(at("etc/sources.list"), `deb [trusted=yes] file:${at("archive")} ./\n`);
  const config = at("apt.conf");
  const places = { State: "state", "State::status": "status", Cache: "cache", Etc: "etc" };
  const lines = Object.entries(places).map(([name, place]) => `Dir::${name} "${at(place)}";\n`);
  writeFileSync(config, `${lines.join("")}APT::Sandbox::User "root";\n`);
  const fetched = await runProgram("apt-get", ["-q", "update"], { env: { APT_CONFIG: config } });
  assert.equal(fetched.code, 0, fetched.stderr);
  return config;
}

test("apt lists the waiting packages without root, even a new kernel, whose package is not installed yet", async () => {
  const of = sources(null);
  const waiting = await waitingUpdates({ ...of, aptConfig: await nextKernel(join(of.lists, "..")) });
  assert.ok(waiting.known, JSON.stringify(waiting));
  assert.match(waiting.listsAt ?? "", /^\d{4}-/);
  const packages = waiting.packages.toSorted((a, b) => a.name.localeCompare(b.name));
  assert.deepEqual(packages, [
    { name: "linux-image", version: "6.1.41", isSecurity: true },
    { name: "linux-image-41", version: "6.1.41", isSecurity: true },
  ]);
});

test("debsecan runs for this machine's release, as a user without rights", async () => {
  const script = `[ "$1 $2" = "--suite bookworm" ] || exit 9
[ "$(id -u)" != 0 ] || exit 8
echo "CVE-2026-0001 libc6 (fixed)"; yes "CVE-2026-0002 tar" | head -n 100000`;
  const fixable = [{ name: "libc6", cves: ["CVE-2026-0001"] }];
  assert.deepEqual(await knownHoles(sources(script)), { known: true, isInstalled: true, fixable, unfixed: 1 });
});

test("an unknown result has a reason", async () => {
  const offline = sources('echo "error: while downloading: no route" >&2; exit 1');
  const other = sources("exit 0", "");
  for (const [from, isInstalled, reason] of [
    [sources(null), false, "debsecan is not installed."],
    [offline, true, "debsecan failed: error: while downloading: no route"],
    [other, true, `${other.osRelease} names no release of Debian.`],
  ] as const)
    assert.deepEqual(await knownHoles(from), { known: false, isInstalled, reason });
});

test("reads each waiting package, and whether it is a security update", () => {
  const said = `NOTE: This is only a simulation!
Reading package lists...
The following packages will be upgraded:
  base-files openssl
Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Inst libssl3 [3.0.17-1~deb12u2] (3.0.20-1~deb12u2 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
Inst linux-image-6.1.0-41-amd64 (6.1.158-1 Debian-Security:12/oldstable-security [amd64])
Conf base-files (12.4+deb12u15 Debian:12.15/oldstable [amd64])
`;
  assert.deepEqual(readUpgrade(said), [
    { name: "base-files", version: "12.4+deb12u15", isSecurity: false },
    { name: "libssl3", version: "3.0.20-1~deb12u2", isSecurity: true },
    { name: "linux-image-6.1.0-41-amd64", version: "6.1.158-1", isSecurity: true },
  ]);
  assert.deepEqual(readUpgrade(""), []);
});

test("lists vulnerabilities with a fix by package, and counts each of the others once", () => {
  const said = `CVE-2026-0001 libc6 (fixed, remotely exploitable, high urgency)
CVE-2026-0002 libc6 (fixed)
CVE-2026-0003 libc6
CVE-2026-0003 libc-bin (low urgency)
TEMP-0290435-0B57B5 tar (low urgency, obsolete)
`;
  const fixable = [{ name: "libc6", cves: ["CVE-2026-0001", "CVE-2026-0002"] }];
  assert.deepEqual(readDebsecan(said), { fixable, unfixed: 2 });
  assert.deepEqual(readDebsecan(""), { fixable: [], unfixed: 0 });
});
