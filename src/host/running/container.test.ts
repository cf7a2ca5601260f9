import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { contentOf } from "../../../test/kit/files.ts";
import { ROOT } from "../../../test/kit/needs.ts";
import { CHECKOUT } from "./checkout.ts";
import { containerWarnings, dropShellZone, NEEDED, parseCapabilities, warningsOf } from "./container.ts";

const LEAST = "CapBnd:\t00000000000414fb\n";
const ROUTES =
  "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd001234000000000000000000000001 " +
  "00000400 00000001 00000000 00000003     eth0\n";
const MOUNTS = "overlay / overlay ro 0 0\n/dev/vda /data ext4 rw 0 0\n";

const read = (name: string): string => contentOf(join(CHECKOUT, name));

test("a container with everything that the server needs, and with IPv6, gets no warning", () => {
  assert.deepEqual(warningsOf({ status: LEAST, mounts: MOUNTS, ipv6Routes: ROUTES }), []);
});

test("names rights that it does not need", () => {
  const modules = `${MOUNTS}/dev/vda /usr/lib/modules ext4 ro 0 0\n`;
  // Every capability of an older kernel.
  assert.deepEqual(warningsOf({ status: "CapBnd:\t0000003fffffffff\n", mounts: modules, ipv6Routes: ROUTES }), [
    "This container has more rights than the server needs: `privileged: true`, which gives every capability, such as SYS_ADMIN; " +
      "the mount of /lib/modules. docs/docker.md has the shortest list.",
  ]);
  const some = warningsOf({ status: "CapBnd:\t00000000a82425fb\n", mounts: MOUNTS, ipv6Routes: ROUTES });
  assert.match(some.join(), /: the capabilities SETPCAP, NET_RAW, SYS_ADMIN, MKNOD, AUDIT_WRITE, SETFCAP\. /);
});

test("names missing rights, except that for the firewall, without which the rest works", () => {
  assert.deepEqual(warningsOf({ status: "CapBnd:\t00000000000404da\n", mounts: MOUNTS, ipv6Routes: ROUTES }), [
    "This container lacks capabilities that the server needs: CHOWN, KILL. docs/docker.md has the shortest list.",
  ]);
});

test("without IPv6 the warning says that IPv6 clients share one address", () => {
  const [says = "", ...more] = warningsOf({ status: LEAST, mounts: MOUNTS, ipv6Routes: "" });
  assert.match(says, /^This container has no IPv6: /);
  assert.deepEqual(more, []);
});

test("the rights are those of this process: the first may be outside the container", ROOT, () => {
  const module = join(CHECKOUT, "src/host/running/container.ts");
  const script = `import { containerWarnings } from ${JSON.stringify(module)}; console.log(containerWarnings(true).join());`;
  const node = [process.execPath, "--input-type=module", "--eval", script];
  const said = execFileSync("setpriv", ["--bounding-set=-chown,-kill", "--", ...node], { encoding: "utf8" });
  assert.match(said, /lacks capabilities that the server needs: .*CHOWN.*KILL/);
});

test("the time zone of a shell counts only in a container", () => {
  const of = (isImage: boolean) => {
    const env = { TZ: "Europe/Berlin", PATH: "/bin" };
    dropShellZone(env, isImage);
    return env;
  };
  assert.deepEqual(of(true), { TZ: "Europe/Berlin", PATH: "/bin" });
  assert.deepEqual(of(false), { PATH: "/bin" });
});

test("outside the image there are no warnings", () => {
  assert.deepEqual(containerWarnings(), []);
});

test("compose.yaml grants exactly these rights, and the page has a reason for each", () => {
  const given = /^ +cap_add:\n((?: +- \w+\n)+)/m.exec(read("compose.yaml"))?.[1]?.match(/\w+/g) ?? [];
  assert.deepEqual([...given].toSorted(), [...NEEDED].toSorted());
  const rows = [...read("docs/docker.md").matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) \|/gm)].flatMap(([, cell = ""]) =>
    cell.replaceAll("`", "").split(", "),
  );
  assert.deepEqual(rows.toSorted(), [...NEEDED].toSorted());
});

test("the `docker run` of the page gives a container what compose.yaml gives it, and no more", () => {
  const compose = read("compose.yaml");
  const listed = (key: string, flag: string): readonly string[] => {
    const [, list = ""] = new RegExp(`^ +${key}:\n((?: +(?:- .+|#.*)\n)+)`, "m").exec(compose) ?? [];
    return [...list.matchAll(/- "?([^"\n]+)/g)].map(([, value = ""]) => `--${flag}=${value}`);
  };
  const given = [
    ...listed("cap_drop", "cap-drop"),
    ...listed("cap_add", "cap-add"),
    ...listed("security_opt", "security-opt"),
    ...listed("tmpfs", "tmpfs"),
    ...listed("volumes", "volume").map((one) => one.replace(/=\.(.*)/, '="$PWD$1"')),
    // Without IPv6, which needs a separate network.
    ...listed("ports", "publish").map((one) => one.replace(/=(\d+:\d+)$/, "=0.0.0.0:$1")),
    ...(compose.includes("read_only: true\n") ? ["--read-only"] : []),
    ...[...compose.matchAll(/^ +stop_grace_period: (\d+)s$/gm)].map(([, seconds]) => `--stop-timeout=${seconds}`),
    ...[...compose.matchAll(/^ +restart: (\S+)$/gm)].map(([, when]) => `--restart=${when}`),
  ];
  const [, line = ""] = /^docker run --detach ([^`]+) ghostinbox\n```/m.exec(read("docs/docker.md")) ?? [];
  const own = ["--name=ghostinbox", "--env=GHOSTINBOX_DOMAIN=example.org"];
  assert.deepEqual(line.split(/[\s\\]+/).toSorted(), [...given, ...own].toSorted());
});

test("the image's health check asks the server directly, even if the container has a proxy", () => {
  assert.match(read("Dockerfile"), /^ +CMD \["busybox", "wget", "-Y", "off", /m);
});

const STATUS = "Name:\tnode\nCapEff:\t0000000000001000\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n";

test("the capabilities of a process are read by their names", () => {
  assert.deepEqual(parseCapabilities(STATUS, "CapEff"), ["NET_ADMIN"]);
  const docker = STATUS.replace("000001ffffffffff", "00000000a80425fb");
  assert.deepEqual(parseCapabilities(docker, "CapBnd"), [
    ..."CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW".split(" "),
    ..."SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP".split(" "),
  ]);
  assert.deepEqual(parseCapabilities("", "CapEff"), []);
});
