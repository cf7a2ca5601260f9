import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import type { ServerPort } from "../set-up/ports.ts";
import { SharedPorts } from "./shared-ports.ts";

/** Listens on the port that is its argument, and says so. */
const BESIDE = `require("node:net").createServer()
  .listen({ port: Number(process.argv[1]), host: "127.0.0.1", reusePort: true }, () => console.log("listening"))`;

test("a program that shares the port of a service is told while it listens, and the service's own sockets are not", async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", reusePort: true }, resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const says = { setting: "ports.smtp", port, address: null, says: "mail", service: "postfix" } as const;
  const shared = new SharedPorts();
  const troubleAfter = (looks: number, main: number | null = process.pid, one: ServerPort = says): string | null => {
    for (let look = 0; look < looks; look++) shared.look([one], () => main);
    return shared.troubleOf("postfix");
  };
  assert.equal(troubleAfter(6), null);
  const beside = spawn(process.execPath, ["-e", BESIDE, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => beside.kill("SIGKILL"));
  await once(beside.stdout, "data");
  assert.equal(troubleAfter(3), null, "one look: it may be about to end");
  const told = new RegExp(
    `^port ${port} for mail is also in use by .+ \\(pid ${beside.pid}\\), .*Try: kill ${beside.pid}$`,
  );
  assert.match(troubleAfter(3) ?? "", told);
  assert.equal(shared.troubleOf("dovecot"), null);
  assert.equal(troubleAfter(3, null), null, "a service that is down has no port to share");
  assert.equal(troubleAfter(6, process.pid, { ...says, address: "127.0.0.1" }), null, "another address is its own");
  assert.match(troubleAfter(6) ?? "", told);
  beside.kill("SIGKILL");
  await once(beside, "exit");
  assert.equal(troubleAfter(3), null);
});
