import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createServer } from "node:tls";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { selfSigned } from "../../../test/kit/own-certificate.ts";
import { answering, answers, saying, servedPort, silent } from "../../../test/kit/served.ts";
import { exchange } from "../probes/exchange.ts";
import { AUTH, IMAP, MASTER } from "./probe.ts";

const LONG_MS = 5_000;
const SHORT_MS = 100;

test("the master process works if it names itself", async () => {
  assert.ok(await answers(saying("VERSION\tmaster-server\t1\t0\n"), MASTER, LONG_MS));
  assert.ok(!(await answers(silent, MASTER, SHORT_MS)));
});

test("auth works if it answers about a user, not if it only greets", async () => {
  const question = "VERSION\t1\t0\nUSER\t1\tprobe@invalid\tservice=probe\n";
  const greeting = "VERSION\t1\t1\nSPID\t12981\n";
  for (const answer of ["NOTFOUND\t1\n", "FAIL\t1\ttemp\n", "USER\t1\tprobe@invalid\thome=/x\n"]) {
    const serve = (socket: Socket) => [saying(greeting), answering(question, answer)].forEach((one) => one(socket));
    assert.ok(await answers(serve, AUTH, LONG_MS), answer);
  }
  assert.ok(!(await answers(saying(greeting), AUTH, SHORT_MS)));
});

test("the IMAP port works if it greets over TLS, with any certificate", async () => {
  const heard = Promise.withResolvers<string>();
  const server = createServer(selfSigned("any"), (socket) => {
    socket.on("error", () => undefined);
    socket.write("* OK [CAPABILITY IMAP4rev1] Ready.\r\n");
    socket.on("data", (said) => heard.resolve(said.toString()));
  });
  const at = { host: "127.0.0.1", port: await listenOnPort(server), localAddress: "127.0.0.1" };
  assert.deepEqual(await exchange(at, IMAP, LONG_MS), { ok: true });
  assert.equal(await heard.promise, "a LOGOUT\r\n");
  assert.ok(!(await exchange({ ...at, port: await servedPort(silent) }, IMAP, SHORT_MS)).ok);
});
