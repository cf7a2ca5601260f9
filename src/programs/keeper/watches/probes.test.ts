import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { loadValid, settingsWith } from "../../../../test/kit/loaded-settings.ts";
import { listenOnPort, listenOnSocket } from "../../../../test/kit/local-server.ts";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { SERVICES } from "../../../host/running/runit.ts";
import { type Layout, layoutOf } from "../../../settings/layout.ts";
import { awaitAnswers, type Probe, probesOf } from "./probes.ts";

function tableOf(layout: Layout): readonly Probe[] {
  return probesOf(layout, settingsWith());
}

test("every service is probed, except the guard and keeper, which check each other, and what the guard watches", () => {
  const probed = new Set(tableOf(layoutOf("/data")).map(({ service }) => service));
  const others = SERVICES.filter((service) => !probed.has(service));
  assert.deepEqual(others, ["guard", "keeper", "export"]);
});

test("each probe has a unique name, and gives up before its next run", () => {
  const table = tableOf(layoutOf("/data"));
  assert.equal(new Set(table.map(({ name }) => name)).size, table.length);
  for (const { name, everyMs, timeoutMs } of table) assert.ok(timeoutMs < everyMs, name);
});

test("Postgrey is probed only if its command is rendered, not if `sleep` runs in its place", () => {
  const layout = temporaryLayout();
  const isWanted = tableOf(layout).find(({ service }) => service === "postgrey")?.isInUse;
  assert.equal(isWanted?.(), false);
  mkdirSync(layout.postgreyConf, { recursive: true });
  const command = join(layout.postgreyConf, "command");
  writeFileSync(command, "exec sleep infinity\n");
  assert.equal(isWanted?.(), false);
  writeFileSync(command, `exec postgrey --unix=${layout.greylistSocket}\n`);
  assert.equal(isWanted?.(), true);
});

test("the probe of a missing part fails, and none throws", async () => {
  const layout = temporaryLayout();
  const ofFiles = tableOf(layout).filter(({ name }) => !/resolver|port$|dashboard/.test(name));
  for (const { name, check } of ofFiles) {
    assert.deepEqual(await check(1_000), { ok: false, hangs: false, says: "cannot be reached (ENOENT)" }, name);
  }
});

test("no part of Postfix counts as hanging while the queue's disk is full", async () => {
  const layout = temporaryLayout();
  const ofPostfix = tableOf(layout).filter(({ name, service }) => service === "postfix" && !name.endsWith("port"));
  for (const place of ["public/cleanup", "public/pickup", "public/qmgr", "private/rewrite", "private/anvil"])
    await listenOnSocket(createServer(), join(layout.postfixQueue, place));
  const results = await Promise.all(ofPostfix.map(({ check }) => check(200)));
  const silent = results.filter((result) => !result.ok && result.says.startsWith("gave no answer"));
  assert.equal(silent.length, 5);
  for (const result of silent) {
    assert.ok(!result.ok && !result.hangs);
    assert.match(result.says, / while .*\/incoming cannot be written \(ENOENT\)$/);
  }
});

test("the dashboard is reached by IPv4 if it listens on every address, with or without IPv6 here", async () => {
  const port = await listenOnPort(createServer((socket) => socket.destroy()));
  const { settings } = loadValid(`domains = ["example.org"]\nhttp.address = "::"\nports.http = ${port}\n`);
  const probe = probesOf(layoutOf("/data"), settings).find(({ service }) => service === "web");
  const result = await probe?.check(1_000);
  assert.ok(result?.ok === false && !/ECONNREFUSED|EADDRNOTAVAIL/.test(result.says), JSON.stringify(result));
});

/** A part that answers from this attempt on. */
function part(name: string, from: number, isWanted = true): Probe {
  let attempts = 0;
  return {
    name,
    service: "dovecot",
    notice: "dovecot_silent",
    everyMs: 1,
    timeoutMs: 1,
    check: () =>
      Promise.resolve(++attempts >= from ? { ok: true } : { ok: false, hangs: false, says: "connection refused" }),
    isInUse: () => isWanted,
  };
}

for (const [what, parts, says] of [
  ["each part is asked until it answers", [part("one", 1), part("two", 4)], null],
  ["parts that the configuration does not use are not asked", [part("off", Infinity, false)], null],
  [
    "the part that does not answer in time is named, with its last output",
    [part("one", 1), part("two", Infinity)],
    "two does not answer after the restart: connection refused",
  ],
] as const)
  test(what, async () => assert.equal(await awaitAnswers(parts, says === null ? 10_000 : 5, 1), says));
