import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { probeResolver } from "./resolver.ts";

const SHORT_MS = 500;

/** A UDP port of 127.0.0.1 that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

test("unbound answers from its own data, and hangs while it is frozen", {
  skip: lacking({ installed: ["unbound"] }),
}, async (t) => {
  const port = await freePort();
  const file = join(temporaryDirectory(), "unbound.conf");
  const lines = ["server:", "interface: 127.0.0.1", `port: ${port}`, 'username: ""', 'chroot: ""', 'directory: ""'];
  const more = ['pidfile: ""', "do-daemonize: no", "use-syslog: no", "verbosity: 0", "do-not-query-localhost: yes"];
  // It knows no name server of the internet: its answers are its own.
  const noOne = ['module-config: "iterator"', "forward-zone:", 'name: "."', "forward-addr: 127.0.0.1@1"];
  writeFileSync(file, [...lines, ...more, ...noOne, "remote-control:", "control-enable: no", ""].join("\n"));
  const unbound = spawn("unbound", ["-d", "-p", "-c", file], { stdio: "ignore" });
  t.after(() => unbound.kill("SIGKILL"));
  const server = `127.0.0.1:${port}`;
  await t.waitFor(async () => assert.deepEqual(await probeResolver(server, SHORT_MS), { ok: true }), {
    timeout: patience(15_000),
  });
  unbound.kill("SIGSTOP");
  assert.deepEqual(await probeResolver(server, SHORT_MS), {
    ok: false,
    hangs: true,
    says: "gave no answer within 0.5 s",
  });
  unbound.kill("SIGCONT");
  await t.waitFor(async () => assert.deepEqual(await probeResolver(server, SHORT_MS), { ok: true }), {
    timeout: patience(15_000),
  });
});

test("a port without a resolver refuses", async () => {
  assert.deepEqual(await probeResolver(`127.0.0.1:${await freePort()}`, 5_000), {
    ok: false,
    hangs: false,
    says: "cannot be reached (ECONNREFUSED)",
  });
});
