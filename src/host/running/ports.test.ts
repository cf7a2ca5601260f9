import assert from "node:assert/strict";
import { createServer, Server } from "node:net";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { ip } from "../../../test/kit/samples.ts";
import { busyPorts, holderOf, listeners, portsOf, socketsOn } from "./ports.ts";

const DASHBOARD = { setting: "ports.http", says: "dashboard", service: "web" } as const;

test("a port in use is named with its setting and its holder; a free one passes", async () => {
  const server = createServer();
  const port = await listenOnPort(server);
  const serverPort = { ...DASHBOARD, port, address: "127.0.0.1" };
  const listening = listeners();
  const says = new RegExp(`Port ${port} for dashboard is in use by .+ \\(pid ${process.pid}\\): .* ports\\.http\\.$`);
  assert.match((await busyPorts([serverPort]))[0]?.says ?? "", says);
  assert.equal(holderOf(socketsOn({ port, address: null }, listening))?.pid, process.pid);
  assert.match((await busyPorts([{ ...serverPort, address: "::" }]))[0]?.says ?? "", says, "`::` includes IPv4");
  const all = socketsOn({ port, address: "0.0.0.0" }, listening);
  assert.deepEqual(all, socketsOn({ port, address: "127.0.0.1" }, listening));
  const other = socketsOn({ port, address: "127.0.0.53" }, listening);
  assert.deepEqual(other, [], "a program at a different address does not conflict");
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual(socketsOn({ port, address: null }, listeners()), []);
  assert.deepEqual(await busyPorts([serverPort]), []);
});

test("a socket at `::` holds the port of an IPv4 address unless an IPv4 socket does", () => {
  const at = (address: string, inode: string) => ({ ip: ip(address), port: 53, uid: 0, inode });
  const [v6, v4] = [at("::", "6"), at("127.0.0.1", "4")];
  const ours = { port: 53, address: "127.0.0.1" };
  assert.deepEqual(socketsOn(ours, [v6, v4]), ["4"]);
  assert.deepEqual(socketsOn(ours, [v6]), ["6"]);
  assert.deepEqual(socketsOn({ ...ours, address: null }, [v6, v4]), ["6", "4"]);
});

test("an address that this machine does not have is named with its setting", async () => {
  const [busy] = await busyPorts([{ ...DASHBOARD, port: 1, address: "203.0.113.77" }]);
  const says = /^This machine does not have the address 203\.0\.113\.77 for dashboard now: .* http\.address\.$/;
  assert.match(busy?.says ?? "", says);
  const [unusable] = await busyPorts([{ ...DASHBOARD, port: 1, address: "fe80::1" }]);
  assert.match(unusable?.says ?? "", /^The address fe80::1 cannot be used for dashboard \(E\w+\): .* http\.address\.$/);
});

test("a kernel without IPv6 has no port in use at `::`; another IPv6 address cannot be used", async (t) => {
  t.mock.method(Server.prototype, "listen", function (this: Server, { host }: { host: string }, done: () => void) {
    if (host.includes(":")) this.emit("error", Object.assign(new Error("no IPv6"), { code: "EAFNOSUPPORT" }));
    else done();
    return this;
  });
  const web = { ...DASHBOARD, port: 0 };
  assert.deepEqual(await busyPorts(["::", null].map((address) => ({ ...web, address }))), []);
  const [unusable] = await busyPorts([{ ...web, address: "::1" }]);
  assert.match(unusable?.says ?? "", /^The address ::1 cannot be used for dashboard \(EAFNOSUPPORT\): /);
});

test("the ports for proxies belong to the server if there is a proxy", () => {
  const ofPort = (toml: string) =>
    portsOf(settingsWith(toml)).flatMap(({ port, service }) =>
      port > 300 && port < 400 ? [`${service} ${port}`] : [],
    );
  assert.deepEqual(ofPort(""), []);
  const all = ["dovecot 393", "postfix 325", "postfix 365", "postfix 387"];
  assert.deepEqual(ofPort('proxy.networks = ["10.0.0.5"]').toSorted(), all);
});
