import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { listenOnPort } from "../../../../test/kit/local-server.ts";
import { lacking } from "../../../../test/kit/needs.ts";
import { noteLogLine, underRunsv } from "../../../../test/kit/supervised-process.ts";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { until } from "../../../../test/kit/until.ts";
import { HOUR_MS, instant, MINUTE_MS } from "../../../core/time.ts";
import type { ServerPort } from "../../../host/running/ports.ts";
import { EXITS, renderRunit } from "../../../host/running/runit.ts";
import { pidOf } from "../../../host/running/supervise.ts";
import { supervised } from "../../../host/running/supervised.ts";
import { mailServices } from "../../../mail/configuration/mail-services.ts";
import { createServiceWatch, createSharedPorts, unitOf } from "./watch-services.ts";

const clock = { now: () => instant(Date.now()) };

/** The tests may run in a unit of systemd themselves. */
function ends(pid: number | undefined): string {
  const unit = unitOf(readFileSync(`/proc/${pid}/cgroup`, "utf8"));
  return `Try: ${unit === null ? `kill ${pid}` : `systemctl disable --now ${RegExp.escape(unit)}`}`;
}

for (const [cgroups, unit] of [
  ["0::/system.slice/system-postfix.slice/postfix@-.service\n", "postfix"],
  ["9:pids:/system.slice/exim4.service\n1:name=systemd:/system.slice/exim4.service\n0::/\n", "exim4"],
  ["0::/system.slice/dovecot.service/worker\n", "dovecot"],
  ["0::/system.slice/ghostinbox-postfix.service\n", null],
  ["0::/system.slice/docker.service\n", null],
  ["0::/system.slice/ssh.service\n", null],
  ["0::/system.slice/system-getty.slice/getty@tty1.service\n", null],
  ["0::/user.slice/user-0.slice/session-3.scope\n", null],
  ["0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", null],
  ["", null],
] as const)
  test(`the unit that starts a program again: ${JSON.stringify(cgroups)}`, () => assert.equal(unitOf(cgroups), unit));

const NEEDED = { skip: lacking({ installed: ["runsv"] }) };

test("a service that keeps exiting is reported with its last log line; one exit is not", NEEDED, async (t) => {
  const layout = temporaryLayout();
  noteLogLine(layout, "postgrey", "no such database");
  const broken = join(layout.services, "postgrey");
  underRunsv(t, broken, "test -e fixed && exec sleep infinity\nexit 1");
  underRunsv(t, join(layout.services, "unbound"), "exec sleep infinity");
  const port = await listenOnPort(createServer());
  const ports = [{ setting: "ports.http", port, address: null, says: "pages", service: "postgrey" }] as const;
  let inUse: readonly ServerPort[] = [];
  const watch = createServiceWatch(layout, () => inUse, clock);
  // One check a second in the server; here directly after each change.
  let change: string | undefined;
  const look = (name: string): boolean => {
    const now = supervised(layout.services, name)?.change;
    if (now !== change) watch.look();
    change = now;
    return watch.troubleOf("postgrey") !== null;
  };
  await until(() => look("postgrey"));
  assert.equal(watch.troubleOf("postgrey"), "it keeps exiting; its last log line: no such database");
  inUse = ports;
  const holder = `.+ \\(pid ${process.pid}\\). ${ends(process.pid)}`;
  const taken = new RegExp(`^it cannot start: port ${port} for pages is in use by ${holder}$`);
  assert.match(watch.troubleOf("postgrey") ?? "", taken);
  inUse = [{ ...ports[0], port: await listenOnPort(createServer(), "::"), address: "127.0.0.1" }];
  assert.match(watch.troubleOf("postgrey") ?? "", / in use by .+; last log line of postgrey: no such database\. Try: /);
  inUse = [];
  const pid = (): number | null => pidOf(layout.services, "unbound");
  await until(() => pid() !== null);
  const first = pid() ?? 0;
  process.kill(first, "SIGKILL");
  await until(() => {
    look("unbound");
    return pid() !== null && pid() !== first;
  });
  assert.equal(watch.troubleOf("unbound"), null);
  writeFileSync(join(broken, "fixed"), "");
  await until(() => {
    watch.look();
    return watch.troubleOf("postgrey") === null;
  });
});

/** The first process ends with TERM, the second with code 3. */
const RUN = `test -e first && test ! -e second && { touch second; trap 'kill $!; exit 3' TERM; sleep infinity & wait; }
touch first
exec sleep infinity`;

test("a service that keeps ending without an order is reported until it has run for two hours", NEEDED, async (t) => {
  const layout = temporaryLayout();
  const directory = join(layout.services, "postgrey");
  mkdirSync(directory, { recursive: true });
  const mail = mailServices(layout, { spam: 1, fail2ban: false });
  const scripts = renderRunit({ layout, netAdmin: false, export: false, mail });
  const { finish } = scripts.find(({ service }) => service === "postgrey") ?? assert.fail();
  writeFileSync(join(directory, "finish"), finish, { mode: 0o755 });
  const exits = join(directory, EXITS);
  const minute = Math.floor(Date.now() / MINUTE_MS);
  const before = [...Array(11).keys()].map((one) => minute - 100 * (11 - one));
  writeFileSync(exits, `${before.join("\n")}\n`);
  underRunsv(t, directory, RUN);
  const pid = (): number | null => pidOf(layout.services, "postgrey");
  const end = async (how: (pid: number) => void): Promise<number> => {
    await until(() => pid() !== null);
    const first = pid() ?? 0;
    how(first);
    await until(() => pid() !== null && pid() !== first);
    return readFileSync(exits, "utf8").trim().split("\n").length;
  };
  let later = 0;
  const watch = createServiceWatch(layout, () => [], { now: () => instant(Date.now() + later) });
  assert.equal(await end((main) => process.kill(main, "SIGTERM")), 11);
  const ordered = await end(() => {
    spawnSync("sv", ["-w", "7", "down", directory]);
    spawnSync("sv", ["-w", "7", "up", directory]);
  });
  assert.deepEqual([ordered, watch.troubles()], [11, []], "fails at its end");
  assert.equal(await end((main) => process.kill(main, "SIGKILL")), 12);
  assert.deepEqual(watch.troubles(), [{ code: "service_unstable", detail: "postgrey" }]);
  later = 3 * HOUR_MS;
  assert.deepEqual(watch.troubles(), []);
});

/** Listens on the port that is its argument, and says so. */
const BESIDE = `require("node:net").createServer()
  .listen({ port: Number(process.argv[1]), host: "127.0.0.1", reusePort: true }, () => console.log("listening"))`;

/** A port on which this process listens for Postfix, and other programs may too. */
async function sharedPort(t: TestContext) {
  const server = createServer();
  server.listen({ port: 0, host: "127.0.0.1", reusePort: true });
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const says = { setting: "ports.smtp", port: address.port, address: null, says: "mail", service: "postfix" } as const;
  const shared = createSharedPorts();
  const troubleAfter = (looks: number, main: number | null = process.pid, one: ServerPort = says): string | null => {
    for (let look = 0; look < looks; look++) shared.look([one], () => main);
    return shared.troubleOf("postfix");
  };
  const beginBeside = async () => {
    const argv = ["-e", BESIDE, String(says.port)];
    const beside = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    const end = async (): Promise<void> => {
      beside.kill("SIGKILL");
      await once(beside, "exit");
    };
    t.after(() => beside.kill("SIGKILL"));
    await once(beside.stdout, "data");
    return { pid: beside.pid, end };
  };
  return { says, shared, troubleAfter, beginBeside };
}

test("a program that shares a service's port is reported while it listens, but the service's own sockets are not", async (t) => {
  const { says, shared, troubleAfter, beginBeside } = await sharedPort(t);
  assert.equal(troubleAfter(16), null);
  const beside = await beginBeside();
  assert.equal(troubleAfter(3), null, "after one check: it may be about to end");
  const reported = new RegExp(
    `^port ${says.port} for mail is also in use by .+ \\(pid ${beside.pid}\\), .*${ends(beside.pid)}$`,
  );
  assert.match(troubleAfter(3) ?? "", reported);
  assert.equal(shared.troubleOf("dovecot"), null);
  assert.equal(troubleAfter(8, null), null, "a service that is down has no port to share");
  const another = { ...says, address: "127.0.0.1" };
  assert.equal(troubleAfter(16, process.pid, another), null, "a different address is not shared");
  assert.match(troubleAfter(16) ?? "", reported);
  await beside.end();
  assert.equal(troubleAfter(8), null);
});
