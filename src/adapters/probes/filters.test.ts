import assert from "node:assert/strict";
import { test } from "node:test";
import { answering, saying, servedSocket, silent } from "../../../test/kit/served.ts";
import { probeMilter, probePostgrey, probeSpamd } from "./filters.ts";

const LONG_MS = 5_000;
const SHORT_MS = 100;

test("a milter that negotiates works; one that refuses to, or is frozen, does not", async () => {
  const offer = "\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff";
  assert.ok(
    (await probeMilter(await servedSocket(answering(offer, "\0\0\0\x0dO\0\0\0\x06\0\0\0\x13\0\0\x03\0")), LONG_MS)).ok,
  );
  assert.ok(!(await probeMilter(await servedSocket((socket) => socket.end("\0\0\0\x01t")), LONG_MS)).ok);
  assert.ok(!(await probeMilter(await servedSocket(silent), SHORT_MS)).ok);
});

test("spamd works if it answers PONG, whatever its version", async () => {
  const question = "PING SPAMC/1.5\r\n\r\n";
  assert.ok((await probeSpamd(await servedSocket(answering(question, "SPAMD/1.5 0 PONG\r\n")), LONG_MS)).ok);
  assert.ok(!(await probeSpamd(await servedSocket(saying("SPAMD/1.0 76 Bad header line\r\n")), SHORT_MS)).ok);
  assert.ok(!(await probeSpamd(await servedSocket(silent), SHORT_MS)).ok);
});

test("Postgrey works if it gives any action, with the empty line that ends an answer", async () => {
  assert.ok((await probePostgrey(await servedSocket(saying("action=DUNNO\n\n")), LONG_MS)).ok);
  assert.ok(!(await probePostgrey(await servedSocket(saying("action=DUNNO\n")), SHORT_MS)).ok);
  assert.ok(!(await probePostgrey(await servedSocket(silent), SHORT_MS)).ok);
});
