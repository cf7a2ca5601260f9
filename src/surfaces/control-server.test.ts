import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "../../test/kit/temporary-directory.ts";
import { until } from "../../test/kit/until.ts";
import { parseReply } from "../admin/declare/codec.ts";
import type { ControlLine, Reply } from "../admin/declare/control.ts";
import { CONTROL_LIMITS, type ControlLimits, type ControlParts, createControlServer } from "./control-server.ts";

const DEADLINE_MS = 5_000;

/** A fake guard that answers some verbs, and remembers who asked and who listens. */
class FakeGuard {
  readonly asked: ControlLine[] = [];
  readonly origins: string[] = [];
  readonly listeners = new Set<(lastEventId: number) => void>();
  readonly reports: string[] = [];
  lastEventId = 10;
  /** A command that takes time ends after this. */
  held: Promise<void> | null = null;
  readonly run = async (line: ControlLine, origin: string): Promise<Reply> => {
    this.asked.push(line);
    this.origins.push(origin);
    const { verb } = line.command;
    if (verb === "ping") return { ok: true, result: { pid: 7 } };
    if (verb === "watch") return { ok: true, result: { lastEventId: this.lastEventId } };
    if (verb === "reload") throw new Error("bug\u001b");
    assert.equal(verb, "cleanup");
    await (this.held ?? new Promise((resolve) => setImmediate(resolve)));
    return { ok: true, result: { expired: this.asked.length } };
  };
  readonly subscribe = (listener: (lastEventId: number) => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  commit(): void {
    this.lastEventId++;
    for (const listener of this.listeners) listener(this.lastEventId);
  }
  parts(origin: "root" | "web"): ControlParts {
    const report = (code: string, detail: string): void => void this.reports.push(`${code}: ${detail}`);
    return { origin, run: this.run, subscribe: this.subscribe, report };
  }
}

function client(path: string) {
  const socket = connect(path);
  let text = "";
  let closed = false;
  socket.on("data", (chunk) => (text += chunk));
  socket.on("error", () => {});
  socket.on("close", () => (closed = true));
  return { socket, lines: () => text.split("\n").slice(0, -1), closed: () => closed };
}

async function served(t: TestContext, origin: "root" | "web", limits: Partial<ControlLimits> = {}) {
  const guard = new FakeGuard();
  const server = createControlServer(guard.parts(origin), { ...CONTROL_LIMITS, stopMs: 50, ...limits });
  const path = join(temporaryDirectory(), "control.sock");
  await server.start(path, origin === "root" ? 0o600 : 0o660);
  t.after(() => server.stop());
  return { guard, connected: () => client(path), stop: () => server.stop(), path };
}

const line = (verb: string): string => `${JSON.stringify({ by: "root", command: { verb } })}\n`;

for (const origin of ["root", "web"] as const)
  test(`commands of ${origin} are run and answered in order, at a socket that no one else may open`, async (t) => {
    const { guard, connected, path } = await served(t, origin);
    assert.equal((await stat(path)).mode & 0o777, origin === "root" ? 0o600 : 0o660);
    const { socket, lines } = connected();
    socket.write(line("cleanup") + line("ping") + line("nonsense") + line("cleanup"));
    await until(() => lines().length === 4, "four answers");
    const [first, second, third, fourth] = lines().map((each, at) => parseReply(at === 1 ? "ping" : "cleanup", each));
    const done = (result: object) => ({ ok: true, result });
    assert.deepEqual([first, second, fourth], [done({ expired: 1 }), done({ pid: 7 }), done({ expired: 3 })]);
    assert.partialDeepStrictEqual(third, { ok: false, kind: "usage", message: 'Unknown command "nonsense".' });
    assert.deepEqual(guard.origins, [origin, origin, origin]);
    for (const { by } of guard.asked) assert.equal(by, "root");
  });

test("a bug in a command is answered and reported; the connection stays open", async (t) => {
  const { guard, connected } = await served(t, "root");
  const { socket, lines } = connected();
  socket.write(line("reload") + line("ping"));
  await until(() => lines().length === 2, "two answers");
  assert.partialDeepStrictEqual(parseReply("reload", lines()[0] ?? ""), { ok: false, kind: "failed" });
  assert.deepEqual(guard.reports, ["internal_error: reload: bug\\x1b"]);
});

test("a watcher gets the current id, then commits at most once per interval, and is forgotten when it leaves", async (t) => {
  const { guard, connected } = await served(t, "root", { watchMs: 30 });
  const { socket, lines, closed } = connected();
  socket.write(line("watch"));
  await until(() => lines().length === 1, "the present");
  assert.equal(lines()[0], '{"lastEventId":10}');
  for (let i = 0; i < 1000; i++) guard.commit();
  await until(() => lines().length === 2, "the commits");
  assert.equal(lines()[1], '{"lastEventId":1010}');
  guard.commit();
  await until(() => lines().length === 3, "one more");
  assert.deepEqual(lines().slice(2), ['{"lastEventId":1011}']);
  socket.destroy();
  await until(() => closed() && guard.listeners.size === 0, "the watcher is forgotten");
});

test("for a watcher that does not read, one line waits in the guard; once it reads, it gets the newest", async (t) => {
  const { guard, path } = await served(t, "web", { watchMs: 0, maxUnsentBytes: 40 });
  let text = "";
  const take = (bytes: number, buffer: Uint8Array): boolean => {
    text += Buffer.from(buffer).toString("utf8", 0, bytes);
    return true;
  };
  // With `onread`, `pause` stops reading at once.
  const socket = connect({ path, onread: { buffer: Buffer.alloc(4_096), callback: take } });
  const lines = (): readonly string[] => text.split("\n").slice(0, -1);
  socket.write(line("watch"));
  await until(() => lines().length === 1, "the present");
  socket.pause();
  // More lines than the kernel buffers: if they waited in the guard, it would close the connection.
  for (let i = 0; i < 1_000; i++) {
    guard.commit();
    await new Promise((done) => setTimeout(done, 2));
  }
  assert.equal(guard.listeners.size, 1, "it is still connected");
  socket.resume();
  await until(() => lines().at(-1) === `{"lastEventId":${guard.lastEventId}}`, "the newest");
  assert.ok(lines().length < 1_000, `${lines().length} lines`);
  socket.destroy();
});

test("a second watch ends the connection", async (t) => {
  const { guard, connected } = await served(t, "web");
  const { socket, closed } = connected();
  socket.write(line("watch").repeat(2));
  await until(() => closed() && guard.listeners.size === 0, "it is ended, and the watcher forgotten");
  assert.equal(guard.asked.length, 1);
});

test("a watcher outlives the idle time, an idle client does not", async (t) => {
  const { guard, connected } = await served(t, "root", { idleMs: 40, watchMs: 1 });
  const watcher = connected();
  watcher.socket.write(line("watch"));
  const idle = connected();
  await until(() => idle.closed(), "the idle one is ended");
  guard.commit();
  await until(() => watcher.lines().includes('{"lastEventId":11}'), "the watcher still hears");
});

test("an endless line and too many lines: dropped and reported", async (t) => {
  const { guard, connected } = await served(t, "root", { maxPending: 5 });
  const endless = connected();
  endless.socket.write("x".repeat(70_000));
  await until(() => endless.closed(), "the endless one is dropped");
  const many = connected();
  many.socket.write(line("cleanup").repeat(100));
  await until(() => many.closed(), "the flood is dropped");
  assert.equal(guard.reports.length, 2);
  assert.equal(guard.asked.length, 0);
  for (const report of guard.reports) assert.match(report, /^control_line_malformed:/);
});

test("input that a client sends while its command runs is not read before that ends", async (t) => {
  const { guard, connected } = await served(t, "web");
  const [one, two] = [connected(), connected()];
  let goOn = (): void => {};
  guard.held = new Promise((resolve) => (goOn = resolve));
  one.socket.write(line("cleanup"));
  await until(() => guard.asked.length === 1, "it runs");
  one.socket.write(`${" ".repeat(60_000)}${line("ping")}`.repeat(40));
  for (let i = 1; i <= 50; i++) {
    two.socket.write(line("ping"));
    await until(() => two.lines().length === i, "others are answered");
  }
  assert.ok(one.socket.writableLength > 0);
  goOn();
  await until(() => one.lines().length === 41, "all of it is answered");
});

test("stop finishes running commands and disconnects watchers", async (t) => {
  const { guard, connected, stop } = await served(t, "root", { stopMs: DEADLINE_MS });
  const watcher = connected();
  watcher.socket.write(line("watch"));
  const busy = connected();
  busy.socket.write(line("cleanup"));
  await until(() => guard.asked.length === 2, "both were asked");
  await stop();
  await until(() => watcher.closed() && busy.closed(), "both are ended");
  assert.equal(busy.lines().length, 1);
  assert.equal(guard.listeners.size, 0);
});
