import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { parseIp } from "../../core/net/ip.ts";
import { runsAs } from "./tcp-sockets.ts";

const LOOPBACK = parseIp("127.0.0.1") ?? assert.fail();
const user = process.getuid?.() ?? assert.fail("the test needs users");

test("a connection of the user is known as its own, and as no other's", async (t) => {
  const port = await listenOnPort(createServer());
  const client = connect({ port, host: "127.0.0.1" });
  t.after(() => client.destroy());
  await once(client, "connect");
  const clientPort = client.localPort ?? assert.fail();
  assert.equal(await runsAs(user, port)({ ip: LOOPBACK, clientPort }), true);
  assert.equal(await runsAs(user + 1, port)({ ip: LOOPBACK, clientPort }), false);
  assert.equal(await runsAs(user, port)({ ip: LOOPBACK, clientPort: clientPort === 1 ? 2 : 1 }), false);
  const other = parseIp("127.0.0.2") ?? assert.fail();
  assert.equal(await runsAs(user, port)({ ip: other, clientPort }), false);
  client.destroy();
  await once(client, "close");
  assert.equal(await runsAs(user, port)({ ip: LOOPBACK, clientPort }), false);
});
