import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { put } from "../../../test/kit/files.ts";
import { listenOnPort, listenOnSocket } from "../../../test/kit/local-server.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { type Layout, serviceLog } from "../../settings/layout.ts";
import type { ServerPort } from "./ports.ts";
import { lastFailure, StartLog, waitUntilReady } from "./ready.ts";

const never = (): boolean => false;
const SHORT = { patienceMs: 300 };

/** Every socket through which services answer each other. */
async function withSockets(layout: Layout): Promise<void> {
  for (const path of [layout.policySocket, layout.controlSocket, layout.keeperSocket, layout.rspamdSocket])
    await listenOnSocket(createServer(), path);
}

function smtp(port: number): ServerPort {
  return { setting: "ports.smtp", service: "postfix", port, address: null, says: "mail" };
}

/** A layout in which the service keeps getting a new process until the test ends. */
function exiting(t: TestContext, service: "web" | "export"): Layout {
  let id = 1_000;
  const restarts = setInterval(() => put(join(layout.services, service, "supervise", "pid"), `${++id}\n`), 20);
  // Before the directory is removed.
  t.after(() => clearInterval(restarts));
  const layout = temporaryLayout();
  return layout;
}

test("stops waiting when asked to stop", async () => {
  assert.deepEqual(await waitUntilReady(temporaryLayout(), [], () => true, { patienceMs: 60_000 }), { ok: true });
});

describe("a part that does not start is named with its last log lines", () => {
  test("a service that does not answer", async () => {
    const layout = temporaryLayout();
    await listenOnSocket(createServer(), layout.policySocket);
    put(serviceLog(layout, "guard"), "one\ntwo\n\nthree\nfour\nfive\nsix\n");
    const reason =
      "The guard does not accept commands after 0.3 s. Last log lines of guard:\n  two\n  three\n  four\n  five\n  six";
    assert.deepEqual(await waitUntilReady(layout, [], never, SHORT), { ok: false, reason });
  });

  test("a closed port, with Postfix's lines from the mail log", async () => {
    const layout = temporaryLayout();
    await withSockets(layout);
    put(layout.mailLog, "postfix/master[1]: fatal: bind\n");
    const reason =
      "Port 1 (ports.smtp) is not open after 0.3 s. Last log lines of postfix:\n  postfix/master[1]: fatal: bind";
    assert.deepEqual(await waitUntilReady(layout, [smtp(1)], never, SHORT), { ok: false, reason });
  });

  test("a service that keeps exiting is reported long before the time limit", async (t) => {
    const layout = exiting(t, "web");
    const page: ServerPort = { setting: "ports.http", service: "web", port: 1, address: null, says: "page" };
    const waited = await waitUntilReady(layout, [page], never, { patienceMs: 60_000 });
    assert.deepEqual(waited, { ok: false, reason: "web keeps exiting. Its last log lines:\n  (none)" });
    assert.match(JSON.stringify(await waitUntilReady(layout, [], never, SHORT)), /The guard does not answer/);
  });

  test("an exporter that keeps exiting does not end the start", async (t) => {
    const waited = await waitUntilReady(exiting(t, "export"), [], never, { patienceMs: 1_000 });
    assert.match(JSON.stringify(waited), /The guard does not answer/);
  });
});

for (const [what, address, says] of [
  ["another program has taken it", "127.0.0.1", /^Port \d+ for the dashboard is in use by/],
  ["its address is gone", "203.0.113.77", /^This machine does not have the address 203\.0\.113\.77 for the dashboard/],
] as const)
  test(`a port that may wait is no longer awaited once ${what}`, async (t) => {
    const layout = exiting(t, "web");
    const port = address === "127.0.0.1" ? await listenOnPort(createServer()) : 1;
    const page: ServerPort = { setting: "ports.http", service: "web", port, address, says: "the dashboard" };
    const warnings: string[] = [];
    const waiting = waitUntilReady(layout, [page], never, { mayWait: [page], warn: (text) => warnings.push(text) });
    const ended = waiting.then(() => true);
    while (warnings.length === 0 && !(await Promise.race([ended, pause(10, false)])));
    await withSockets(layout);
    assert.deepEqual(await waiting, { ok: true });
    assert.match(warnings.join(), says);
  });

const directory = temporaryDirectory();

test("a progress message is one line, on the terminal and in the file", (t) => {
  const file = join(directory, "progress");
  const out = t.mock.method(console, "log", () => undefined);
  const write = t.mock.method(process.stdout, "write", () => true);
  const tty = process.stdout.isTTY;
  t.after(() => (process.stdout.isTTY = tty));
  const log = new StartLog();
  log.open(file);
  process.stdout.isTTY = false;
  for (const text of ["5 s", "6 s"]) log.progress(text);
  log.endProgress();
  process.stdout.isTTY = true;
  for (const text of ["7 s", "8 s"]) log.progress(text);
  log.endProgress();
  log.endProgress();
  const printed = [out, write].map(({ mock: { calls } }) => calls.map((call) => String(call.arguments[0])));
  assert.deepEqual(printed, [["5 s"], ["\r\x1b[K7 s", "\r\x1b[K8 s", "\n"]]);
  assert.equal(readFileSync(file, "utf8").replaceAll(/^\S+ /gm, ""), "5 s\n7 s\n");
});

test("messages on the terminal are in the file too, each line with its time", (t) => {
  const file = join(directory, "said");
  const out = t.mock.method(console, "log", () => undefined);
  const err = t.mock.method(console, "error", () => undefined);
  const log = new StartLog();
  log.say("before there is a file");
  log.open(file);
  log.say("Stopping ...");
  log.warn("no CAP_NET_ADMIN here");
  log.fail("postfix keeps exiting. Its last log lines:\n  fatal: no");
  log.note("only here");
  const printed = out.mock.calls.map((call) => call.arguments);
  assert.deepEqual(printed, [["before there is a file"], ["Stopping ..."]]);
  assert.equal(err.mock.callCount(), 2);
  assert.equal(
    readFileSync(file, "utf8").replaceAll(/^\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.\d{3} /gm, ""),
    `Stopping ...
warning: no CAP_NET_ADMIN here
failed: postfix keeps exiting. Its last log lines:
  fatal: no
only here
`,
  );
});

test("an unwritable file stops nothing, and a file that has grown too large starts over", () => {
  const log = new StartLog();
  const lost = join(directory, "missing", "file");
  log.open(lost);
  log.note("nowhere");
  assert.ok(!existsSync(lost));
  const grown = join(directory, "grown");
  writeFileSync(grown, "x".repeat(300_000));
  log.open(grown);
  log.note("new");
  assert.ok(statSync(grown).size < 100);
});

test("finds the last reason for which a start failed", () => {
  const log = "2026-11-20_08:00:00.000 failed: port 25\n2026-11-20_08:00:01.000 failed: port 26\n2026-11-20 Stopping\n";
  assert.equal(lastFailure(log), "port 26");
  assert.equal(lastFailure("2026-11-20_08:00:00.000 it failed: no\n"), null);
  assert.equal(lastFailure(""), null);
});
