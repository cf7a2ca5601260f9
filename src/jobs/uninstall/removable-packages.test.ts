import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { listedAsRemoved, onlyConfigured, parsePackages, removable } from "./uninstall-packages.ts";

const HERE = parsePackages(
  [
    "installed\tpostfix\tmail-transport-agent\t, libc6 (>= 2.34), libsasl2-2:any (>= 2.1), debconf (>= 0.5) | debconf-2.0",
    "installed\tcurl\t\t, libc6 (>= 2.34), libcurl4 (= 7.88.1)",
    "installed\tlibcurl4\t\t, libldap-2.5-0 (>= 2.5), libnghttp2-14",
    "triggers-awaited\tlibldap-2.5-0\t\t, libsasl2-2",
    "installed\tlibsasl2-2\t\t, libc6",
    "installed\tlibnghttp2-14\t\t",
    "installed\tcron\t\tlibc6, exim4 | mail-transport-agent",
    "installed\texim4\tmail-transport-agent\t",
    "config-files\tunbound\t\t, libc6",
    "installed\tlibc6\t\t",
    "",
  ].join("\n"),
);

test("reads unpacked packages, and their dependencies without versions", () => {
  assert.deepEqual(HERE[0], {
    name: "postfix",
    provides: ["mail-transport-agent"],
    needs: [[], ["libc6"], ["libsasl2-2"], ["debconf", "debconf-2.0"]],
  });
  assert.ok(HERE.every(({ name }) => name !== "unbound"));
});

for (const [that, candidates, gone] of [
  [
    "packages that nothing needs are removed, with those that only they need",
    ["curl", "libcurl4", "libnghttp2-14"],
    "curl libcurl4 libnghttp2-14",
  ],
  [
    "a library that something else needs stays, and what that library needs",
    ["postfix", "libcurl4", "libsasl2-2"],
    "postfix",
  ],
  ["whatever offers the same does", ["postfix"], "postfix"],
  ["of several that offer the same, none goes unless one stays", ["postfix", "exim4"], ""],
  ["packages that are not here belong to no one", ["unbound", "nonsense", "curl"], "curl"],
] as const)
  test(that, () => assert.equal(removable(candidates, HERE).join(" "), gone));

test("a dependency that was never installed does not count", () => {
  assert.deepEqual(removable(["libc6"], parsePackages("installed\tlibc6\t\t\ninstalled\tdpkg\t\tghost")), ["libc6"]);
});

test("only the configuration of a removed package is left", () => {
  const packages = "installed\tpostfix\t\t\nconfig-files\tunbound\t\t, libc6\nnot-installed\tx\t\t\n";
  assert.deepEqual(onlyConfigured(packages), ["unbound"]);
});

test("reads only the list of removed packages from apt's output, with all its lines", () => {
  // From `apt-get remove --print-uris` of Debian 12.
  const plan = (removed: string): string => `Reading package lists...
The following package was automatically installed and is no longer required:
  cpio
Use 'apt autoremove' to remove it.
${removed}The following NEW packages will be installed:
  exim4-base exim4-config
0 upgraded, 2 newly installed, 2 to remove and 94 not upgraded.
'http://deb.debian.org/x/exim4-base_4.96_amd64.deb' exim4-base_4.96_amd64.deb 1 MD5Sum:0
`;
  const list = "The following packages will be REMOVED:\n  postfix* postfix-sqlite\n  libc6:i386\n";
  assert.deepEqual(listedAsRemoved(plan(list)), ["postfix", "postfix-sqlite", "libc6:i386"]);
  assert.deepEqual(listedAsRemoved(plan("")), []);
});

const NO_DPKG = { skip: lacking({ root: true, installed: ["unshare", "/usr/bin/dpkg-query"] }) };
test("a dpkg-query that fails does not mean that nothing is installed", NO_DPKG, async () => {
  const data = temporaryDirectory();
  writeFileSync(join(data, "installed-packages"), "postfix\n");
  const plans = `
    const [{ packagesToRemove, alsoRemoved, NO_PACKAGES }, { layoutOf }] = await Promise.all(process.argv.slice(1, 3).map((module) => import(module)));
    console.log(await packagesToRemove(layoutOf(process.argv[3])).catch((error) => error.message));
    console.log("besides none:", (await alsoRemoved(NO_PACKAGES)).length);`;
  const modules = ["./uninstall-packages.ts", "../../settings/layout.ts"].map((module) => import.meta.resolve(module));
  const program = [process.execPath, "--input-type=module", "--eval", plans, ...modules, data];
  const shell = 'mount --bind /bin/false /usr/bin/dpkg-query && exec "$@"';
  const ran = await runProgram("unshare", ["--mount", "sh", "-ec", shell, "sh", ...program]);
  assert.equal(ran.stdout, "dpkg-query failed: it ended with code 1\nbesides none: 0\n", ran.stderr);
});
