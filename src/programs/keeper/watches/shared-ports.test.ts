import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import type { ServerPort } from "../../../host/running/ports.ts";
import { SharedPorts } from "./watch-services.ts";

/** Listens on the port that is its argument, and says so. */
const BESIDE = `require("node:net").createServer()
  .listen({ port: Number(process.argv[1]), host: "127.0.0.1", reusePort: true }, () => console.log("listening"))`;

/** A port on which this process listens for Postfix, and on which other programs may listen too. */
async function sharedPort(t: TestContext) {
  const server = createServer();
  server.listen({ port: 0, host: "127.0.0.1", reusePort: true });
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const says = { setting: "ports.smtp", port: address.port, address: null, says: "mail", service: "postfix" } as const;
  const beginBeside = async () => {
    const argv = ["-e", BESIDE, String(says.port)];
    const beside = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => beside.kill("SIGKILL"));
    await once(beside.stdout, "data");
    return beside;
  };
  return { says, beginBeside };
}

test("a program that shares a service's port is reported while it listens, but the service's own sockets are not", async (t) => {
  const { says, beginBeside } = await sharedPort(t);
  let inUse: number | null = null;
  const shared = new SharedPorts(() => inUse);
  const troubleAfter = (looks: number, main: number | null = process.pid, one: ServerPort = says): string | null => {
    for (let look = 0; look < looks; look++) shared.look([one], () => main);
    return shared.troubleOf("postfix");
  };
  assert.equal(troubleAfter(6), null);
  const beside = await beginBeside();
  assert.equal(troubleAfter(3), null, "one look: it may be about to end");
  const reported = new RegExp(
    `^port ${says.port} for mail is also in use by .+ \\(pid ${beside.pid}\\), .*Try: kill ${beside.pid}$`,
  );
  assert.match(troubleAfter(3) ?? "", reported);
  assert.equal(shared.troubleOf("dovecot"), null);
  assert.equal(troubleAfter(3, null), null, "a service that is down has no port to share");
  assert.equal(
    troubleAfter(6, process.pid, { ...says, address: "127.0.0.1" }),
    null,
    "a different address is not shared",
  );
  assert.match(troubleAfter(6) ?? "", reported);
  inUse = 7;
  assert.match(troubleAfter(6) ?? "", reported, "a finding is checked again, however few sockets are in use");
  beside.kill("SIGKILL");
  await once(beside, "exit");
  assert.equal(troubleAfter(3), null);
});

test("while no more sockets are in use, a check that found nothing is trusted at most three times", async (t) => {
  const { says, beginBeside } = await sharedPort(t);
  let inUse = 7;
  const shared = new SharedPorts(() => inUse);
  const troubleAfter = (looks: number): string | null => {
    for (let look = 0; look < 3 * looks; look++) shared.look([says], () => process.pid);
    return shared.troubleOf("postfix");
  };
  assert.equal(troubleAfter(1), null);
  const beside = await beginBeside();
  assert.equal(troubleAfter(4), null, "three are skipped, and one finds it for the first time");
  assert.match(troubleAfter(1) ?? "", /is also in use by/);
  beside.kill("SIGKILL");
  await once(beside, "exit");
  assert.equal(troubleAfter(1), null);
  inUse = 8;
  await beginBeside();
  assert.match(troubleAfter(2) ?? "", /is also in use by/, "one socket more: none is skipped");
});
