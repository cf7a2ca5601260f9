import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Decision, decision } from "../core/decide/decision.ts";
import type { Event } from "../core/events/event.ts";
import { POLICY_LIMITS, type PolicyLimits, PolicyServer } from "./policy-server.ts";

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "policy-server-"));
});
after(() => rm(directory, { recursive: true }));

const DEADLINE_MS = 5_000;
const PASS = decision("pass", "below_limit");
const BANNED = decision("refuse", "banned");
const ACTION = { pass: "action=DUNNO\n\n", banned: "action=421 4.7.0 Service not available, try again later\n\n" };

/** An engine that answers when the test says so. */
class HeldEngine {
  readonly asked: { event: Event; answer: (decided: Decision) => void }[] = [];
  readonly submit = (event: Event, answer: (decided: Decision) => void): void => {
    this.asked.push({ event, answer });
  };
  answer(index: number, decided: Decision): void {
    const question = this.asked[index];
    assert.ok(question, `question ${index} was not asked`);
    question.answer(decided);
  }
}

type Started = { server: PolicyServer; engine: HeldEngine; reports: string[]; path: string };

async function started(limits: Partial<PolicyLimits> = {}): Promise<Started> {
  const engine = new HeldEngine();
  const reports: string[] = [];
  const server = new PolicyServer(engine.submit, (code) => reports.push(code), {
    ...POLICY_LIMITS,
    stopMs: 50,
    ...limits,
  });
  const path = join(directory, `${Math.random()}.sock`);
  await server.start(path);
  return { server, engine, reports, path };
}

/** A Postfix that keeps all it is told, chunk by chunk. */
class Client {
  readonly chunks: string[] = [];
  closed = false;
  readonly socket: Socket;
  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on("data", (chunk) => this.chunks.push(chunk.toString()));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
    });
  }
  get text(): string {
    return this.chunks.join("");
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`not within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const ask = (state = "DATA", ip = "203.0.113.7"): string =>
  `request=smtpd_access_policy\nprotocol_state=${state}\nclient_address=${ip}\n\n`;

test("a question is answered when the engine has decided, on a connection that stays", async () => {
  const { server, engine, path } = await started();
  const client = new Client(path);
  client.socket.write(ask("CONNECT"));
  await until(() => engine.asked.length === 1, "the question arrives");
  assert.equal(engine.asked[0]?.event.type, "CONNECT");
  assert.equal(client.text, "");
  engine.answer(0, BANNED);
  await until(() => client.text === ACTION.banned, "the answer arrives");
  client.socket.write(ask("RCPT"));
  await until(() => engine.asked.length === 2, "the second question arrives");
  engine.answer(1, PASS);
  await until(() => client.text === ACTION.banned + ACTION.pass, "the second answer arrives");
  await server.stop();
});

test("a stage that is not ours passes without the engine", async () => {
  const { server, engine, path } = await started();
  const client = new Client(path);
  client.socket.write(ask("EHLO"));
  await until(() => client.text === ACTION.pass, "DUNNO");
  assert.equal(engine.asked.length, 0);
  await server.stop();
});

test("answers leave in the order of the questions, whatever the order of decisions", async () => {
  const { server, engine, path } = await started();
  const client = new Client(path);
  client.socket.write(ask() + ask() + ask("MAIL") + ask());
  await until(() => engine.asked.length === 3, "three questions arrive");
  engine.answer(2, BANNED);
  engine.answer(1, PASS);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.text, "");
  engine.answer(0, BANNED);
  const expected = ACTION.banned + ACTION.pass + ACTION.pass + ACTION.banned;
  await until(() => client.text.length >= expected.length, "all answers");
  assert.equal(client.text, expected);
  await server.stop();
});

test("an answer does not wait for later questions, and is not given for them", async () => {
  const { server, engine, path } = await started();
  const client = new Client(path);
  client.socket.write(ask() + ask() + ask());
  await until(() => engine.asked.length === 3, "three questions arrive");
  engine.answer(0, BANNED);
  engine.answer(2, PASS);
  await until(() => client.text !== "", "the first answer");
  assert.equal(client.text, ACTION.banned);
  engine.answer(1, BANNED);
  const expected = ACTION.banned + ACTION.banned + ACTION.pass;
  await until(() => client.text.length >= expected.length, "the others");
  assert.equal(client.text, expected);
  await server.stop();
});

test("a request split at every byte is one request", async () => {
  const { server, engine, path } = await started();
  const client = new Client(path);
  client.socket.setNoDelay();
  for (const byte of ask()) await new Promise((resolve) => client.socket.write(byte, resolve));
  await until(() => engine.asked.length === 1, "the question arrives");
  await server.stop();
});

for (const [name, text] of [
  ["junk", "GET / HTTP/1.1\r\n\r\nx\n\n"],
  ["no address", "request=smtpd_access_policy\nprotocol_state=RCPT\n\n"],
  ["an endless request", "a=".repeat(20_000)],
] as const)
  test(`${name}: the connection is dropped without an answer, others go on`, async () => {
    const { server, engine, reports, path } = await started();
    const good = new Client(path);
    const bad = new Client(path);
    bad.socket.write(text);
    await until(() => bad.closed, "the connection is dropped");
    assert.equal(bad.text, "");
    assert.deepEqual(reports, ["policy_request_malformed"]);
    good.socket.write(ask());
    await until(() => engine.asked.length === 1, "the other question arrives");
    await server.stop();
  });

test("an engine that throws: no answer, so that Postfix takes its default action", async () => {
  const reports: string[] = [];
  const server = new PolicyServer(
    () => {
      throw new Error("bug\nin the engine");
    },
    (code, detail) => reports.push(`${code}: ${detail}`),
  );
  const path = join(directory, "throws.sock");
  await server.start(path);
  const client = new Client(path);
  client.socket.write(ask());
  await until(() => client.closed, "the connection is dropped");
  assert.equal(client.text, "");
  assert.deepEqual(reports, ["internal_error: bug\\x0ain the engine"]);
  await server.stop();
});

test("more questions than may be pending, and an idle connection: dropped", async () => {
  const { server, engine, reports, path } = await started({ maxPending: 3, idleMs: 50 });
  const flood = new Client(path);
  flood.socket.write(ask().repeat(10));
  await until(() => flood.closed, "the flood is dropped");
  assert.deepEqual(reports, ["policy_flooded"]);
  assert.equal(engine.asked.length, 3);
  engine.answer(0, PASS); // late, to nobody
  const idle = new Client(path);
  await until(() => idle.closed, "the idle one is dropped");
  await server.stop();
});

test("a client that never reads its answers is dropped", async () => {
  const reports: string[] = [];
  const server = new PolicyServer(
    (_event, answer) => answer(BANNED),
    (code) => reports.push(code),
  );
  const path = join(directory, "deaf.sock");
  await server.start(path);
  const socket = connect(path).on("error", () => {});
  socket.pause();
  const flood = (): void => {
    if (!socket.destroyed) socket.write(ask("DATA"), () => setImmediate(flood));
  };
  flood();
  await until(() => reports.length > 0, "it is reported");
  assert.deepEqual(reports, ["policy_flooded"]);
  socket.destroy();
  await server.stop();
});

test("one connection too many is turned away", async () => {
  const { server, engine, reports, path } = await started({ maxConnections: 1 });
  const first = new Client(path);
  first.socket.write(ask());
  await until(() => engine.asked.length === 1, "the first is served");
  const second = new Client(path);
  await until(() => second.closed, "the second is turned away");
  assert.deepEqual(reports, ["too_many_connections"]);
  assert.equal(server.connections, 1);
  await server.stop();
});

test("stop answers what was asked, ends every connection and removes the socket", async () => {
  const { server, engine, path } = await started({ stopMs: DEADLINE_MS });
  const asking = new Client(path);
  const idle = new Client(path);
  asking.socket.write(ask());
  await until(() => engine.asked.length === 1 && server.connections === 2, "both are connected");
  const stopped = server.stop();
  await until(() => idle.closed, "the idle one is ended");
  assert.equal(asking.closed, false);
  engine.answer(0, BANNED);
  await stopped;
  await until(() => asking.closed, "the asking one is ended");
  assert.equal(asking.text, ACTION.banned);
  await assert.rejects(stat(path), { code: "ENOENT" });
});

test("stop does not wait for ever for an engine that hangs", async () => {
  const { server, engine, path } = await started({ stopMs: 20 });
  const client = new Client(path);
  client.socket.write(ask());
  await until(() => engine.asked.length === 1, "the question arrives");
  await server.stop();
  await until(() => client.closed, "it is cut");
  assert.equal(client.text, "");
});

test("the socket has mode 0660 and replaces that of a program that died", async () => {
  const path = join(directory, "stale.sock");
  const { spawnSync } = await import("node:child_process");
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  assert.ok((await stat(path)).isSocket(), "a stale socket is there");
  const server = new PolicyServer(new HeldEngine().submit, assert.fail);
  await server.start(path);
  assert.equal((await stat(path)).mode & 0o777, 0o660);
  await server.stop();
});

test("the socket of a living program, a plain file and a missing directory are refused in one sentence", async () => {
  const path = join(directory, "taken.sock");
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(path, resolve));
  const server = (): PolicyServer => new PolicyServer(new HeldEngine().submit, assert.fail);
  await assert.rejects(server().start(path), {
    message: `Cannot listen at ${path}: another program is listening there.`,
  });
  await new Promise((resolve) => other.close(resolve));
  const file = join(directory, "file");
  await writeFile(file, "");
  await assert.rejects(server().start(file), {
    message: `Cannot listen at ${file}: a file that is no socket is there.`,
  });
  const nowhere = join(directory, "none", "x.sock");
  await assert.rejects(server().start(nowhere), { message: /^Cannot listen at .*: (ENOENT|EACCES)\.$/ });
});
