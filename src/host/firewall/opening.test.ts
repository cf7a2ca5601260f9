import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { door } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { type Door } from "../../core/firewall/strict.ts";
import {
  callerConnection,
  openConnections,
  ownPortOf,
  peerOf,
  requiredOpening,
  sshDoors,
  sshPorts,
} from "./opening.ts";

const MAIL = ["25/tcp", "465/tcp", "587/tcp", "993/tcp"];
const SSH = [door("22/tcp4")];

test("includes the ports for connections from others, SSH, and additions from the settings", () => {
  assert.deepEqual(requiredOpening(settingsWith(), SSH), { doors: ["22/tcp4", ...MAIL], trusted: [] });
  const more = 'firewall.open = ["443/tcp", "60000-61000/udp"]\nfirewall.trusted_interfaces = ["wg0"]\n';
  assert.deepEqual(requiredOpening(settingsWith(more), []), {
    doors: ["25/tcp", "443/tcp", "465/tcp", "587/tcp", "993/tcp", "60000-61000/udp"],
    trusted: ["wg0"],
  });
});

for (const [address, door] of [
  ["0.0.0.0", "3000/tcp4"],
  ["::", "3000/tcp"],
  ["2001:db8::1", "3000/tcp6"],
  ["203.0.113.10", "3000/tcp4"],
] as const)
  test(`the dashboard at ${address} is accepted`, () =>
    assert.deepEqual(requiredOpening(settingsWith(`http.address = "${address}"\n`), []).doors, [...MAIL, door]));

test("SSH is found on every machine, and always at the port of the caller's session", async () => {
  assert.ok((await sshDoors()).length > 0);
  assert.ok((await sshDoors(2_299)).includes(door("2299/tcp")));
  assert.ok((await sshPorts(2_299)).includes(2_299));
});

/** A program named like SSH's server, which listens at a port that the kernel chooses, and prints it. */
const NAMED = `process.title = "sshd";
  const server = require("node:net").createServer().listen(0, "0.0.0.0", () => console.log(server.address().port));`;

test("another user's program opens no port by its name", {
  skip: lacking({ root: true, installed: ["ss"] }),
}, async (t) => {
  const listening = async (uid: number): Promise<Door> => {
    const child = spawn(process.execPath, ["--eval", NAMED], { uid, stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    return door(`${Number(await once(child.stdout, "data"))}/tcp4`);
  };
  const [roots, users] = [await listening(0), await listening(65_534)];
  const found = await sshDoors();
  assert.deepEqual([found.includes(roots), found.includes(users)], [true, false]);
});

const SSH_CONNECTION = "198.51.100.65 50000 203.0.113.10 22";

test("finds the caller's connection, even if sudo(8) has removed the variable", async () => {
  assert.equal(callerConnection({ SSH_CONNECTION }), SSH_CONNECTION);
  assert.equal(callerConnection({ SSH_CONNECTION: "fe80::1%eth0 5 fe80::2%eth0 22" }), "fe80::1 5 fe80::2 22");
  const shell = spawn("sh", ["-c", "env -u SSH_CONNECTION sleep 600 & echo $!; wait"], {
    env: { PATH: process.env["PATH"], SSH_CONNECTION },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  assert.equal(callerConnection({}, Number(String(await once(shell.stdout, "data")))), SSH_CONNECTION);
  assert.equal(callerConnection({}, 1), null);
  if (shell.pid !== undefined) process.kill(-shell.pid, "SIGKILL");
});

test("the ends of a connection are its peer's address and our port", () => {
  const ends = (connection: string | null) => [peerOf(connection), ownPortOf(connection)];
  assert.deepEqual(ends(SSH_CONNECTION), ["198.51.100.65/32", 22]);
  assert.deepEqual(ends("2001:db8::1 50000 2001:db8::2 2222"), ["2001:db8::1/128", 2222]);
  for (const none of [null, "", "anna 1 bert", "anna 1 bert 70000"]) assert.deepEqual(ends(none), [null, null]);
});

test("lists connections in the form of sshd", async () => {
  const port = await listenOnPort(createServer());
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const mine = `127.0.0.1 ${socket.localPort} 127.0.0.1 ${port}`;
  assert.ok((await openConnections([]))?.includes(mine));
  assert.equal((await openConnections([port]))?.includes(mine), false);
  socket.destroy();
});

test("an incomplete list of ss is ignored", async () => {
  const path = temporaryDirectory();
  assert.equal(await openConnections([], path), null, "there is none");
  writeFileSync(join(path, "ss"), "#!/bin/sh\necho 0 0 203.0.113.10:22 198.51.100.65:50000\nexit 1\n", { mode: 0o755 });
  assert.equal(await openConnections([], path), null);
});
