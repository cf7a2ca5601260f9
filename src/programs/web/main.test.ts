import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bearer, idsOf, openStream } from "../../../test/kit/api-kit.ts";
import { controlOnSocket } from "../../../test/kit/control-on-socket.ts";
import { HEALTH, TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { eventRow, record } from "../../../test/kit/test-database.ts";
import { until } from "../../../test/kit/until.ts";
import type { Reply, Verb } from "../../admin/declare/control.ts";
import { SCOPES } from "../../core/access/scopes.ts";
import type { EventType } from "../../core/events/event-types.ts";
import { systemClock } from "../../host/machine/clock.ts";
import { type Layout } from "../../settings/layout.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { openEngine } from "../../store/open.ts";

/** The whole program over a real database and the real control socket; only decisions are simulated. */

/** The data directory of a web that listens on this port. */
function webData(port: number): Layout {
  const layout = temporaryLayout("engineDb", "webSocket", "webSettings");
  writeFileSync(layout.webSettings, `domains = ["example.org"]\n[ports]\nhttp = ${port}\n`);
  return layout;
}

/** A kernel that was booted with ipv6.disable=1: bind6 fails with EAFNOSUPPORT. */
const NO_IPV6 = '--import=data:text/javascript,process.binding("tcp_wrap").TCP.prototype.bind6 = () => -97';

async function startWeb(t: TestContext, settings = "", flags: readonly string[] = []) {
  const probe = createServer();
  const port = await listenOnPort(probe);
  probe.close();
  const layout = webData(port);
  appendFileSync(layout.webSettings, settings);
  const web = run(layout.data, flags);
  t.after(() => stop(web));
  const url = `http://127.0.0.1:${port}`;
  await until(() =>
    fetch(`${url}/healthz/live`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { url, web, layout, startGuard: () => startGuard(t, layout) };
}

async function startGuard(t: TestContext, layout: Layout) {
  const db = openEngine(layout.engineDb);
  const store = new SqliteStore(db);
  const control = await controlOnSocket(layout.webSocket, "web", ({ command, as }) => {
    if (command.verb === "caller" && as !== TOKEN) return UNAUTHORIZED;
    return REPLIES[command.verb] ?? assert.fail(command.verb);
  });
  const stopGuard = async (): Promise<void> => {
    if (!db.isOpen) return;
    await control.stop();
    db.close();
  };
  t.after(stopGuard);
  const append = (text: string, type: EventType): number => {
    const [id = 0] = record(store, eventRow(text, systemClock.now(), { type, counts: null }));
    control.publish(id);
    return id;
  };
  return { append, stop: stopGuard };
}

const CALLER = tokenNamed("ci", SCOPES);
const REPLIES: Readonly<Partial<Record<Verb, Reply>>> = {
  health: { ok: true, result: HEALTH },
  watch: { ok: true, result: { lastEventId: 0 } },
  caller: { ok: true, result: { caller: CALLER } },
  sign_in: { ok: true, result: { outcome: "in", secret: "s".repeat(43), known: "known", caller: CALLER } },
};
const UNAUTHORIZED: Reply = { ok: false, kind: "failed", message: "", next: "", denied: "unauthorized" };

test("starts before guard and database, and serves once they are there; its live stream continues across the guard's restart, without gaps", async (t) => {
  const { url, startGuard: guardStarts } = await startWeb(t);
  const status = async (path: string, init?: RequestInit): Promise<number> =>
    (await fetch(`${url}${path}`, init)).status;
  const signIn = () => status("/api/v1/login", { method: "POST", body: JSON.stringify({ password: "x" }) });
  assert.equal(await status("/healthz"), 503);
  assert.equal(await status("/healthz/ready"), 503);
  assert.equal(await signIn(), 503);
  assert.equal(await status("/api/v1/bans", { headers: bearer }), 503);

  const guard = await guardStarts();
  const committed = [guard.append("203.0.113.7", "LOGIN_FAILED")];
  await until(async () => (await status("/healthz/ready")) === 200);
  assert.equal(await status("/api/v1/bans", { headers: bearer }), 200);
  assert.equal(await status("/api/v1/bans"), 401);
  assert.equal(await signIn(), 200);
  assert.match(await (await fetch(`${url}/api/security?action=stats`, { headers: bearer })).text(), /"LOGIN_FAILED"/);

  const stream = await openStream(t, `${url}/api/v1/events/stream?after=0`);
  assert.deepEqual(await idsOf(stream, 1), committed);
  await guard.stop();
  await until(async () => (await status("/healthz/ready")) === 503);
  committed.push((await guardStarts()).append("203.0.113.8", "CONNECT"));
  assert.deepEqual(await idsOf(stream, 2), committed);
  stream.close();
});

test("a restored database is read instead of the old one; SIGTERM stops the web in order", async (t) => {
  const { url, web, layout, startGuard: guardStarts } = await startWeb(t);
  (await guardStarts()).append("203.0.113.7", "CONNECT");
  const events = async (): Promise<number> => {
    const response = await fetch(`${url}/api/v1/events`, { headers: bearer });
    return response.ok ? JSON.stringify(await response.json()).split('"CONNECT"').length - 1 : -1;
  };
  await until(async () => (await events()) === 1);
  const restored = `${layout.engineDb}.restored`;
  openEngine(restored).close();
  for (const end of ["-wal", "-shm"]) rmSync(`${layout.engineDb}${end}`, { force: true });
  renameSync(restored, layout.engineDb);
  await until(async () => (await events()) === 0);
  web.kill("SIGTERM");
  await once(web, "exit");
  assert.equal(web.exitCode, 0);
});

test("listens on IPv4 instead of :: if the kernel has no IPv6", async (t) => {
  await startWeb(t, '[http]\naddress = "::"\n', [NO_IPV6]);
});

test("a port in use, an unusable address and an invalid setting are one clear sentence each", async () => {
  const port = await listenOnPort(createServer());
  const layout = webData(port);
  const says = `Cannot listen on 127.0.0.1 port ${port}: another program listens there; set ports.http to another port.\n`;
  assert.equal(await failure(layout.data), says);
  appendFileSync(layout.webSettings, '[http]\naddress = "::1"\n');
  const unusable = `Cannot listen on ::1 port ${port}: this machine cannot use that address; set http.address.\n`;
  assert.equal(await failure(layout.data, [NO_IPV6]), unusable);
  writeFileSync(layout.webSettings, "[ports]\nhttpp = 1\n");
  assert.equal(await failure(layout.data), "ports.httpp is not a setting; the nearest is ports.http.\n");
});

function run(data: string, flags: readonly string[] = []): ChildProcess {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, GHOSTINBOX_DATA: data };
  return spawn(process.execPath, [...flags, join(import.meta.dirname, "main.ts")], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** What the web prints before it exits with 1. */
async function failure(data: string, flags: readonly string[] = []): Promise<string> {
  const child = run(data, flags);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk) => (stderr += chunk));
  await once(child, "close");
  assert.equal(child.exitCode, 1);
  return stderr;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
