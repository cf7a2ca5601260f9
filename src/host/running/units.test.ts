import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { installed, ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { NODE_FLAGS } from "./runit.ts";
import { UNIT_HEAD } from "./systemd.ts";
import {
  areUnitsFor,
  installUnits,
  notifyReady,
  othersStopped,
  renewUnits,
  serverOfUnits,
  uninstallUnits,
  unitsOf,
  whyNotByUnits,
} from "./units.ts";

/** Stands in for systemd, and prints the notifications that it gets. */
const LISTEN = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
print(s.recv(4096).decode())`;

const NOTIFY = installed("systemd-notify", "python3");

test("systemd is notified that the server runs, with the status text", NOTIFY, async () => {
  const socket = join(temporaryDirectory(), "notify");
  const systemd = spawn("python3", ["-c", LISTEN, socket], { stdio: ["ignore", "pipe", "inherit"] });
  const reported = text(systemd.stdout);
  await until(() => existsSync(socket));
  await notifyReady("GhostInbox runs as mail.example.org.", socket);
  assert.match(await reported, /^READY=1$/m);
  assert.match(await reported, /^STATUS=GhostInbox runs as mail\.example\.org\.$/m);
});

const of = { checkout: "/opt/ghostinbox", layout: layoutOf("/srv/mail"), node: "/opt/ghostinbox/node" };

test("an administrator's unit of the same name is not replaced, and nothing else is written", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "ghostinbox.service"), "[Service]\nExecStart=/bin/true\n");
  const outcome = await installUnits(of, directory);
  assert.ok(!outcome.ok && outcome.reason.includes("was not written by GhostInbox"), JSON.stringify(outcome));
  assert.deepEqual(readdirSync(directory), ["ghostinbox.service"]);
  assert.deepEqual(unitsOf(directory), []);
  assert.deepEqual(await uninstallUnits(directory), { ok: true, found: false });
});

test("a path that a unit would misread is refused", async () => {
  const directory = temporaryDirectory();
  for (const checkout of ["/opt/my server", "/opt/100%", "/opt/$HOME"]) {
    const outcome = await installUnits({ ...of, checkout }, directory);
    assert.ok(!outcome.ok && outcome.reason.startsWith(`${checkout} has characters`), JSON.stringify(outcome));
  }
  assert.deepEqual(readdirSync(directory), []);
});

test("units are recognised by their first line, and others are kept", ROOT, async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "postfix.service"), "[Service]\n");
  // The files are written first, whether or not systemd runs here.
  await installUnits(of, directory);
  const found = unitsOf(directory);
  assert.ok(found.includes(join(directory, "ghostinbox-guard.service")));
  assert.ok(!found.includes(join(directory, "postfix.service")));
  const unit = readFileSync(join(directory, "ghostinbox.service"), "utf8");
  assert.match(unit, new RegExp(`^ExecStart=\\S+ ${NODE_FLAGS} \\S+/start\\.ts --systemd$`, "m"));
});

test("a new version renews the units of its checkout and data directory, and no others", ROOT, async () => {
  const directory = temporaryDirectory();
  const theirs = "ghostinbox-events.service";
  writeFileSync(join(directory, theirs), "[Service]\nExecStart=/bin/true\n");
  assert.deepEqual(await renewUnits(of, directory), { ok: true });
  assert.deepEqual(readdirSync(directory), [theirs], "none are installed");
  await installUnits(of, directory);
  writeFileSync(join(directory, "ghostinbox-of-an-earlier-version.service"), `${UNIT_HEAD}\n`);
  symlinkSync("/dev/null", join(directory, "ghostinbox-masked.service"));
  assert.deepEqual(othersStopped(directory), [theirs]);
  const read = () => readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
  const wanted = read();
  const file = (name: string): string => join(directory, name);
  const main = readFileSync(file("ghostinbox.service"), "utf8");
  writeFileSync(file("ghostinbox.service"), main.replace("/set-up/start.ts", "/start.ts"));
  rmSync(file("ghostinbox-guard.service"));
  const former = read();
  for (const other of [{ checkout: "/opt/ghostinbox-2" }, { layout: layoutOf("/srv/other") }])
    assert.deepEqual(await renewUnits({ ...of, ...other }, directory), { ok: true });
  assert.deepEqual(read(), former);
  // The files are written first, whether or not systemd runs here.
  const { ok } = await renewUnits(of, directory);
  assert.deepEqual(read(), wanted);
  assert.equal((await renewUnits(of, directory)).ok, ok, "a failed reload is retried");
});

test("the units of a server are not given to another data directory", ROOT, async () => {
  const directory = temporaryDirectory();
  const there = temporaryLayout("settings");
  const other = (layout = of.layout): string | null => serverOfUnits(layout, [temporaryDirectory(), directory]);
  assert.equal(other(), null);
  await installUnits({ ...of, layout: there }, directory);
  assert.equal(other(), null, "that server was removed or moved");
  writeFileSync(there.settings, "");
  assert.equal(other(), there.data);
  assert.equal(other(there), null);
  const link = join(directory, "link");
  symlinkSync(there.data, link);
  assert.equal(other(layoutOf(link)), null);
  const started = [there, layoutOf(link), of.layout].map((layout) => areUnitsFor(layout, directory));
  assert.deepEqual(started, [true, true, false]);
  const refused = (layout: Layout): string | null => whyNotByUnits(layout, [temporaryDirectory(), directory]);
  assert.deepEqual([refused(there), refused(layoutOf(link))], [null, null]);
  assert.match(refused(of.layout) ?? "", /^GHOSTINBOX_DATA names \/srv\/mail, but the units of systemd are for /);
  const outcome = await installUnits(of, directory);
  assert.ok(!outcome.ok && outcome.reason.startsWith(`systemd already starts the server in ${there.data}: `));
  assert.equal(other(), there.data);
});

test("npm start runs the start with the same flags", () => {
  assert.ok(readFileSync("scripts/start", "utf8").includes(`flags="${NODE_FLAGS}"\n`));
});
