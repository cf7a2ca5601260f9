import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { stat, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { listenOnSocket } from "../../../test/kit/local-server.ts";
import { ACTION, ask, BANNED, heldEngine, PASS, postfixAt, started } from "../../../test/kit/policy-server-kit.ts";
import { NOON } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { decision } from "../../core/decide/decision.ts";
import { SmtpProgress } from "../../guard/facts/smtp-sessions.ts";
import { WITHOUT_GUARD } from "../../programs/guard/stand-in.ts";
import { settingOf } from "../../settings/schema.ts";
import { createPolicyServer, POLICY_LIMITS } from "./policy-server.ts";

const directory = temporaryDirectory();
const newServer = () => createPolicyServer(heldEngine().submit, assert.fail, WITHOUT_GUARD);

test("a stage with nothing to decide passes without the engine", async () => {
  const { engine, client } = await started();
  client.socket.write(ask("EHLO"));
  await until(() => client.text() === ACTION.pass, "DUNNO");
  assert.equal(engine.asked.length, 0);
});

test("where Dovecot submits mail, only Dovecot is accepted, and the engine is not asked", async () => {
  let answer = (): Promise<boolean> => Promise.resolve(true);
  const asked: number[] = [];
  const isDovecot = ({ clientPort }: Readonly<{ clientPort: number }>) => {
    asked.push(clientPort);
    return answer();
  };
  const { engine, client } = await started({ isDovecot });
  const question = ask("CONNECT", "client_address=127.0.0.1", "client_port=40000", "policy_context=sieve");
  const refused = "action=421 4.7.1 Only for programs of this mail server\n\n";
  let reported = "";
  for (const [next, says] of [
    [() => Promise.resolve(true), "action=OK\n\n"],
    [() => Promise.resolve(false), refused],
    [() => Promise.reject(new Error("the table cannot be read")), refused],
  ] as const) {
    answer = next;
    client.socket.write(question);
    reported += says;
    await until(() => client.text() === reported, says);
  }
  assert.deepEqual([asked, engine.asked.length], [[40_000, 40_000, 40_000], 0]);
  const { client: other } = await started();
  other.socket.write(question);
  const later = "action=421 4.3.2 Service not available, try again later\n\n";
  await until(() => other.text() === later, "without the guard no one is known to be Dovecot");
});

test("while the disk has no room for a recipient's mail, only such recipients are deferred", async () => {
  const full = new Set<string | null>(["anna@example.org"]);
  const { engine, client, asks } = await started({ hasRoom: (recipient) => !full.has(recipient) });
  const at = (state: string) => ask(state, "recipient=anna@example.org", "recipient_count=1", "size=9");
  const toAnna = at("RCPT");
  await asks(toAnna + ask("CONNECT"));
  assert.equal(engine.asked[0]?.event.type, "CONNECT");
  engine.answer(0, PASS);
  const refused = "action=452 4.3.1 Insufficient system storage\n\n";
  await until(() => client.text() === refused + ACTION.pass, "both answers arrive");
  await asks(ask("RCPT"));
  engine.answer(1, PASS);
  full.clear();
  await asks(toAnna);
  engine.answer(2, PASS);
  full.add("anna@example.org");
  client.socket.write(at("END-OF-MESSAGE"));
  await until(() => client.text().endsWith(ACTION.pass + refused), "a client that waited has no room either");
});

test("at the end of a mail, there must be room for each recipient, and in the queue for a held mail", async () => {
  const full = new Set<string | null>([null]);
  const decided: string[] = [];
  const { engine, client } = await started({
    hasRoom: (recipient) => !full.has(recipient),
    decided: (_, verdict) => void decided.push(verdict),
  });
  const says = async (state: string, transaction: string, recipient = "", answer = PASS): Promise<string> => {
    const [before, asked] = [client.text(), engine.asked.length];
    client.socket.write(ask(state, `recipient=${recipient}`, "recipient_count=2", "size=9", `instance=${transaction}`));
    await until(() => engine.asked.length > asked || client.text() !== before, `${state} arrives`);
    if (engine.asked.length > asked) engine.answer(asked, answer);
    await until(() => client.text() !== before, `${state} is answered`);
    return client.text().slice(before.length);
  };
  const refused = "action=452 4.3.1 Insufficient system storage\n\n";
  const mailToBoth = async (transaction: string, answer = PASS): Promise<string> => {
    for (const name of ["anna", "bert"])
      assert.equal(await says("RCPT", transaction, `${name}@example.org`), ACTION.pass);
    return says("DATA", transaction, "", answer);
  };
  const held = decision("hold", "account_held");

  assert.equal(await mailToBoth("a"), ACTION.pass);
  assert.equal(await says("END-OF-MESSAGE", "a"), ACTION.pass, "both mailboxes have room");
  assert.equal(await mailToBoth("b"), ACTION.pass);
  full.add("bert@example.org");
  assert.equal(await says("END-OF-MESSAGE", "b"), refused, "one has none left");
  assert.equal(await says("RCPT", "c", "anna@example.org"), ACTION.pass);
  assert.equal(await says("RCPT", "c", "bert@example.org"), refused);
  assert.equal(await says("END-OF-MESSAGE", "c"), ACTION.pass, "one that was refused does not count");
  full.delete("bert@example.org");
  assert.equal(await mailToBoth("d", held), refused, "held mail waits in the queue");
  assert.ok(!decided.includes("hold"), "nothing follows a decision that was not answered");
  full.clear();
  assert.equal(await mailToBoth("e", held), "action=HOLD\n\n");
  full.add(null);
  assert.equal(await says("END-OF-MESSAGE", "e"), refused, "until the room there is gone");
  assert.equal(await says("END-OF-MESSAGE", "f"), refused, "a mail whose recipients were named elsewhere may wait");
});

test("a client that has gone is turned away without a report, and the connection stays open", async () => {
  const { reports, client, asks } = await started();
  client.socket.write("request=smtpd_access_policy\nprotocol_state=CONNECT\nclient_address=unknown\n\n");
  await until(() => client.text() !== "", "it is answered");
  assert.match(client.text(), /^action=421 4\.3\.2 .*\n\n$/);
  await asks();
  assert.deepEqual(reports, []);
});

test("a request split at every byte is one request", async () => {
  const { engine, client } = await started();
  client.socket.setNoDelay();
  for (const byte of ask()) await new Promise((resolve) => client.socket.write(byte, resolve));
  await until(() => engine.asked.length === 1, "the question arrives");
});

for (const [name, text] of [
  ["junk", "GET / HTTP/1.1\r\n\r\nx\n\n"],
  ["no address", "request=smtpd_access_policy\nprotocol_state=RCPT\n\n"],
  ["an endless request", "a=".repeat(20_000)],
] as const)
  test(`${name}: the connection is dropped without an answer, others stay open`, async () => {
    const { reports, path, asks } = await started();
    const bad = postfixAt(path);
    bad.socket.write(text);
    await until(() => bad.socket.closed, "the connection is dropped");
    assert.equal(bad.text(), "");
    assert.deepEqual(reports, ["policy_request_malformed"]);
    await asks();
  });

test("a client behind a proxy is accepted only while no other can forge its header", async () => {
  let guards = false;
  const { engine, client, asks } = await started({ guardsProxied: () => guards });
  const proxied = ask("CONNECT", "policy_context=proxied-smtp");
  client.socket.write(proxied);
  await until(() => client.text() === "action=421 4.3.2 Service not available, try again later\n\n", "it is refused");
  assert.deepEqual(engine.asked, []);
  guards = true;
  await asks(proxied);
});

test("the progress of a mail is followed while the database cannot be written; refused DATA does not count", async () => {
  const { engine, store } = engineOnMemory();
  store.failing = "begin";
  const progress = new SmtpProgress();
  const { client } = await started(
    { decided: (event, verdict) => progress.update(event, verdict, NOON) },
    (event, answer) =>
      event.type === "DATA" && event.recipientCount === 2 ? answer(BANNED) : engine.submit(event, answer),
  );
  const from = ["client_port=40000", "server_port=25", "server_address=203.0.113.1", "recipient=anna@example.org"];
  let said = "";
  for (const [state, recipients, answer, isTransferring] of [
    ["CONNECT", 0, ACTION.pass, false],
    ["RCPT", 0, ACTION.pass, false],
    ["DATA", 2, ACTION.banned, false],
    ["DATA", 1, ACTION.pass, true],
  ] as const) {
    client.socket.write(ask(state, ...from, `recipient_count=${recipients}`));
    said += answer;
    await until(() => client.text() === said, `${state} is answered`);
    assert.equal(progress.of("203.0.113.7 40000 25", NOON)?.isTransferring, isTransferring);
  }
});

test("an engine that throws: no answer, so that Postfix takes its default action", async () => {
  const { client, reports, details } = await started({}, () => {
    throw new Error("bug\nin the engine");
  });
  client.socket.write(ask());
  await until(() => client.socket.closed, "the connection is dropped");
  assert.equal(client.text(), "");
  assert.deepEqual([reports, details], [["internal_error"], ["bug\\x0ain the engine"]]);
});

test("a connection with a second open question is dropped", async () => {
  const { engine, reports, client: flood } = await started();
  flood.socket.write(ask().repeat(2));
  await until(() => flood.socket.closed, "the flood is dropped");
  assert.deepEqual(reports, ["policy_flooded"]);
  assert.equal(engine.asked.length, 1);
  engine.answer(0, PASS); // late; the client is gone
});

test("a second answer to one question does not answer the next", async () => {
  const { engine, client, asks } = await started();
  await asks();
  engine.answer(0, PASS);
  engine.answer(0, BANNED);
  await asks();
  engine.answer(0, BANNED);
  engine.answer(1, PASS);
  await until(() => client.text() === ACTION.pass.repeat(2), "two answers");
});

test("a client that never reads its answers is dropped", async () => {
  const { path, reports, details } = await started({}, (_event, answer) => answer(BANNED));
  const socket = connect(path).on("error", () => {});
  socket.pause();
  const flood = (): void => {
    if (!socket.destroyed) socket.write(ask("DATA"), () => setImmediate(flood));
  };
  flood();
  await until(() => reports.length > 0, "it is reported");
  assert.deepEqual([reports, details], [["policy_flooded"], ["answers are not read"]]);
  socket.destroy();
});

test("all processes that the settings allow find room: three services, and three for proxies", () => {
  const places = settingOf("limits.connections.smtp_places").kind;
  const most = Math.floor(POLICY_LIMITS.maxConnections / 6);
  assert.equal(places.read(most).ok, false, `${most} places would not be too many`);
  assert.equal(places.read(1_000).ok, true);
});

test("one connection too many is turned away", async () => {
  const { reports, path, client: first, asks } = await started({ maxConnections: 1 });
  await asks();
  const second = postfixAt(path);
  await until(() => second.socket.closed, "the second is turned away");
  assert.deepEqual([reports, first.socket.closed], [["too_many_connections"], false]);
});

test("stop answers open questions, ends every connection and removes the socket", async () => {
  const { server, engine, path, client: asking, asks } = await started({ stopMs: 5_000 });
  const idle = postfixAt(path);
  idle.socket.write(ask("EHLO"));
  await asks();
  await until(() => idle.text() === ACTION.pass, "both are connected");
  const stopped = server.stop();
  await until(() => idle.socket.closed, "the idle one is ended");
  assert.equal(asking.socket.closed, false);
  engine.answer(0, BANNED);
  await stopped;
  await until(() => asking.socket.closed, "the asking one is ended");
  assert.equal(asking.text(), ACTION.banned);
  await assert.rejects(stat(path), { code: "ENOENT" });
});

test("stop does not wait indefinitely for an engine that hangs", async () => {
  const { server, client, asks } = await started({ stopMs: 20 });
  await asks();
  await server.stop();
  await until(() => client.socket.closed, "it is cut");
  assert.equal(client.text(), "");
});

test("the socket has mode 0660 and replaces that of a program that died", async () => {
  const path = join(directory, "stale.sock");
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  assert.ok((await stat(path)).isSocket(), "a stale socket is there");
  const server = newServer();
  await server.start(path);
  assert.equal((await stat(path)).mode & 0o777, 0o660);
  await server.stop();
});

test("the socket of a living program, a plain file and a missing directory are refused in one sentence", async () => {
  const path = join(directory, "taken.sock");
  await listenOnSocket(createServer(), path);
  const refused = (at: string, message: string | RegExp): Promise<void> =>
    assert.rejects(newServer().start(at), { message });
  await refused(path, `Cannot listen at ${path}: another program is listening there.`);
  const file = join(directory, "file");
  await writeFile(file, "");
  await refused(file, `Cannot listen at ${file}: a file that is not a socket is there.`);
  await refused(join(directory, "none", "x.sock"), /^Cannot listen at .*: (ENOENT|EACCES)\.$/);
});
