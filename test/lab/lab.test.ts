import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { endProgram } from "./commands.ts";
import { Dialog } from "./dialog.ts";
import { FORGED_PROVIDER, NAMED } from "./dns.ts";
import { Lab } from "./lab.ts";
import { namespaceOf, SERVER, whyNoLab } from "./network.ts";

const without = whyNoLab();

describe("the lab", { skip: without ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.make();
  });
  after(() => {
    lab.remove();
    assert.ok(!existsSync(`/run/netns/${namespaceOf("server")}`), "the namespaces are gone");
    assert.ok(!existsSync(`/etc/netns/${namespaceOf("server")}`), "their resolver settings are gone");
    assert.ok(!existsSync(lab.directory), "its directory is gone");
  });

  test("names resolve forward and back; unknown names do not exist, at once", async () => {
    const forward = await lab.server.mustExec(["getent", "ahostsv4", "mail-x.google.com"]);
    assert.match(forward, /^198\.51\.100\.64 /);
    assert.match(await lab.server.mustExec(["getent", "hosts", NAMED["mail-x.google.com"]]), /mail-x\.google\.com/);
    assert.match(await lab.server.mustExec(["getent", "hosts", FORGED_PROVIDER]), /mail-y\.google\.com/);
    const from = performance.now();
    assert.equal((await lab.server.exec(["getent", "hosts", "nowhere.invalid"])).code, 2);
    assert.ok(performance.now() - from < patience(1_000), "an unknown name fails without delay");
  });

  test("the server's own resolver setting is the lab's DNS host", async () => {
    assert.match(await lab.server.mustExec(["cat", "/etc/resolv.conf"]), /^nameserver 203\.0\.113\.53$/m);
  });

  for (const [host, from, to] of [
    ["sender", "198.51.100.10", SERVER.v4],
    ["sender", "198.51.100.77", SERVER.v4],
    ["attacker", "198.51.100.200", SERVER.v4],
    ["attacker", "2001:db8:a123:4567:89ab::1", SERVER.v6],
    ["sender", "2001:db8:b000::25", SERVER.v6],
  ] as const)
    test(`${host} reaches the server from ${from}, as seen there`, async () => {
      const program =
        "require('net').createServer((s) => s.end(s.remoteAddress + '\\r\\n'))" +
        ".listen(2525, '::', () => console.log('ready'))";
      const listener = await lab.server.spawnReady([process.execPath, "-e", program]);
      try {
        const dialog = await Dialog.open(lab[host], { from, to, port: 2525 });
        assert.equal((await dialog.line())?.replace("::ffff:", ""), from);
        await dialog.closed();
      } finally {
        await endProgram(listener, "SIGKILL");
      }
    });

  test("a closed port answers, a black hole does not", async () => {
    const refused = await lab.sender.connect({ from: "198.51.100.10", to: SERVER.v4, port: 9 });
    assert.deepEqual(refused, { ok: false, code: "ECONNREFUSED" });
    await lab.server.mustExec(["ip", "route", "add", "blackhole", "198.51.100.99/32"]);
    const silent = await lab.sender.connect({ from: "198.51.100.99", to: SERVER.v4, port: 9, timeoutMs: 300 });
    assert.deepEqual(silent, { ok: false, code: "ETIMEDOUT" });
  });

  test("no route leads out of the lab", async () => {
    const away = await lab.server.connect({ from: SERVER.v4, to: "198.18.0.1", port: 25, timeoutMs: 500 });
    assert.equal(away.ok, false);
  });
});
