import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { callerConnection, openConnections, ownPortOf, peerOf } from "./wanted.ts";

const SSH_CONNECTION = "198.51.100.65 50000 203.0.113.10 22";

test("finds the caller's connection, even if sudo(8) has removed the variable", async () => {
  assert.equal(callerConnection({ SSH_CONNECTION }), SSH_CONNECTION);
  assert.equal(callerConnection({ SSH_CONNECTION: "fe80::1%eth0 5 fe80::2%eth0 22" }), "fe80::1 5 fe80::2 22");
  const shell = spawn("sh", ["-c", "env -u SSH_CONNECTION sleep 600 & echo $!; wait"], {
    env: { PATH: process.env["PATH"], SSH_CONNECTION },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const printed = String(await once(shell.stdout, "data"));
  assert.equal(callerConnection({}, Number(printed)), SSH_CONNECTION);
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
