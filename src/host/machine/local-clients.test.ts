import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { userInfo } from "node:os";
import { test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import type { OwnNetwork } from "../../core/decide/sparing.ts";
import { createLocalClients } from "./local-clients.ts";
import { ownNetworks } from "./own-networks.ts";

/** Networks of a link without carrier, whose addresses a local program can still use. */
const DOWN: readonly OwnNetwork[] = [
  { prefix: net("172.17.0.1/32"), why: "own_address" },
  { prefix: net("192.0.2.1/32"), why: "gateway" },
];
const own = { current: () => [...ownNetworks([]), ...DOWN] };
const localClients = createLocalClients(own);

test("the user of a connected client is known over IPv4, IPv6, and from an IPv6 socket to an IPv4 address", async () => {
  const server = createServer();
  const port = await listenOnPort(server, "::");
  for (const host of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    const { promise, resolve } = Promise.withResolvers<Socket>();
    server.once("connection", resolve);
    const client = connect({ port, host });
    const socket = await promise;
    const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = socket;
    const ends = { ip: ip(remoteAddress), clientPort: remotePort, serverIp: ip(localAddress), port: localPort };
    assert.ok(localClients.isHere(ends.ip), host);
    assert.equal(await localClients.userOf(ends), userInfo().username, host);
    assert.equal(await localClients.userOf({ ...ends, clientPort: remotePort - 1 }), null);
    client.destroy();
    socket.destroy();
    await once(socket, "close");
    assert.equal(await localClients.userOf(ends), null, "it is closed");
  }
});

test("an address of this machine is local, even on a link that is down; a gateway is not", () => {
  assert.ok(localClients.isHere(ip("172.17.0.1")));
  for (const elsewhere of ["192.0.2.1", "203.0.113.9"]) assert.ok(!localClients.isHere(ip(elsewhere)), elsewhere);
});

test("connections that arrive while the kernel's tables are read share the next read", async () => {
  let reads = 0;
  const { promise: slow, resolve } = Promise.withResolvers<readonly string[]>();
  const { userOf } = createLocalClients(own, () => (++reads === 1 ? slow : Promise.resolve([])));
  const ends = { ip: ip("127.0.0.1"), clientPort: 1, serverIp: ip("127.0.0.1"), port: 2 };
  const first = userOf(ends);
  await Promise.resolve();
  const others = Array.from({ length: 100 }, () => userOf(ends));
  resolve([]);
  assert.deepEqual(new Set(await Promise.all([first, ...others])), new Set([null]));
  assert.equal(reads, 2);
});
