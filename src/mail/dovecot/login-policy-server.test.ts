// Invariant: No local user can impersonate another program at the auth-policy port.
import assert from "node:assert/strict";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { type Decision, decision } from "../../core/decide/decision.ts";
import type { Event } from "../../core/events/event.ts";
import type { Submit } from "../../guard/ports.ts";
import { createLoginPolicyServer } from "./login-policy-server.ts";

const SECRET = "5f2c9d";
const BODY = JSON.stringify({ login: "alice", protocol: "imap", remote: "203.0.113.7", pwhash: "0a", session_id: "x" });

type Ask = Readonly<{ method?: string; path?: string; secret?: string; body?: string; agent?: Agent }>;

async function ask(port: number, { secret = SECRET, body = BODY, ...more }: Ask) {
  const headers = { authorization: `Bearer ${secret}` };
  const usual = { host: "127.0.0.1", port, method: "POST", path: "/?command=allow", headers };
  const sent = request({ ...usual, ...more }).end(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on("response", resolve).on("error", reject);
  });
  const { localPort } = response.socket;
  return { status: response.statusCode, body: await text(response), port: localPort };
}

/** A server that runs until the test ends. */
async function started(submit: Submit, guardsProxied = unguarded): Promise<{ port: number; reports: string[] }> {
  const reports: string[] = [];
  const report = (code: string): unknown => reports.push(code);
  const server = createLoginPolicyServer({ submit, secret: SECRET, report, guardsProxied });
  after(() => server.stop());
  return { port: await server.start(0), reports };
}

/** An engine that records its questions and answers in the next turn. */
function engine(decided: Decision): { asked: Event[]; submit: Submit } {
  const asked: Event[] = [];
  return {
    asked,
    submit: (event, answer) => {
      asked.push(event);
      setImmediate(() => answer(decided));
    },
  };
}

const unguarded = (): boolean => false;
const never: Submit = () => assert.fail("the engine must not be asked");

test("a login that the guard does not judge passes without the engine", async () => {
  const { port } = await started(never);
  const reply = await ask(port, { body: BODY.replace("203.0.113.7", "") });
  assert.deepEqual([reply.status, reply.body], [200, '{"status":0,"msg":""}']);
});

test("a client behind a proxy is refused and not recorded while anyone but a proxy can forge its header", async () => {
  const { asked, submit } = engine(decision("pass", "below_limit"));
  const body = BODY.replace("}", ',"peer":"127.0.0.1"}');
  let guards = false;
  const { port } = await started(submit, () => guards);
  assert.equal((await ask(port, { body })).body, '{"status":-1,"msg":""}');
  for (const success of [true, false])
    await ask(port, { path: "/?command=report", body: body.replace("}", `,"success":${success}}`) });
  assert.deepEqual(asked, []);
  assert.equal((await ask(port, {})).body, '{"status":0,"msg":""}', "a direct client still signs in");
  guards = true;
  assert.equal((await ask(port, { body })).body, '{"status":0,"msg":""}');
  const isProxied = asked.map((event) => "proxied" in event);
  assert.deepEqual(isProxied, [false, true]);
});

const refused: readonly (readonly [string, Ask, number, readonly string[]])[] = [
  ["a wrong secret", { secret: "5f2c9e" }, 401, ["login_secret_wrong"]],
  ["a longer secret", { secret: `${SECRET}0` }, 401, ["login_secret_wrong"]],
  ["no secret", { secret: "" }, 401, ["login_secret_wrong"]],
  ["another path", { path: "/admin?command=allow" }, 404, []],
  ["another method", { method: "PUT" }, 405, []],
  ["no command", { path: "/" }, 400, ["login_request_malformed"]],
  ["broken JSON", { body: "{" }, 400, ["login_request_malformed"]],
  ["a body over the bound", { body: " ".repeat(8 * 1024) + BODY }, 413, ["login_request_malformed"]],
  ["an endless body", { body: " ".repeat(2_000_000) }, 413, ["login_request_malformed"]],
];
for (const [name, asked, status, expected] of refused)
  test(`${name}: ${status}, empty`, async () => {
    const { port, reports } = await started(never);
    const reply = await ask(port, asked).catch((error: Error) => error);
    // Node may cut an endless upload before its client has read the answer.
    if (reply instanceof Error) assert.match(reply.message, /EPIPE|ECONNRESET/);
    else assert.deepEqual([reply.status, reply.body], [status, ""]);
    assert.deepEqual(reports, expected);
  });

test("a connection is reused, even after a malformed request", async () => {
  const { port } = await started(engine(decision("pass", "below_limit")).submit);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const first = await ask(port, { agent });
  const second = await ask(port, { agent, body: "{" });
  const third = await ask(port, { agent });
  assert.deepEqual([first.status, second.status, third.status], [200, 400, 200]);
  assert.equal(first.port, third.port);
  agent.destroy();
});

test("an engine that throws: 500, and Dovecot continues", async () => {
  const { port, reports } = await started(() => {
    throw new Error("bug");
  });
  assert.equal((await ask(port, {})).status, 500);
  assert.deepEqual(reports, ["internal_error"]);
});

test("a port in use is refused with one sentence until it is free, and an empty secret immediately", async (t) => {
  const other = createServer();
  const taken = await listenOnPort(other);
  const parts = { submit: never, secret: SECRET, report: assert.fail, guardsProxied: unguarded };
  const server = createLoginPolicyServer(parts);
  t.after(() => server.stop());
  for (let i = 0; i < 20; i++)
    await assert.rejects(server.start(taken), {
      message: /^Cannot listen at 127\.0\.0\.1:\d+ for Dovecot's questions: .*EADDRINUSE.* ss -ltnp sport = \d+$/,
    });
  await new Promise((resolve) => other.close(resolve));
  assert.equal(await server.start(taken), taken);
  assert.throws(() => createLoginPolicyServer({ ...parts, secret: "" }), /secret is empty/);
});

test("clients without the secret neither block others nor cause a proven connection to close", async () => {
  const { port, reports } = await started(engine(decision("pass", "below_limit")).submit);
  const dovecot = new Agent({ keepAlive: true });
  const first = await ask(port, { agent: dovecot });
  const idle = Array.from({ length: 400 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  const [again, another] = await Promise.all([ask(port, { agent: dovecot }), ask(port, {})]);
  assert.deepEqual([first.status, again.status, another.status], [200, 200, 200]);
  assert.equal(again.port, first.port, "Dovecot's own connection stayed open");
  assert.ok(reports.includes("too_many_connections"));
  for (const socket of idle) socket.destroy();
  dovecot.destroy();
});
