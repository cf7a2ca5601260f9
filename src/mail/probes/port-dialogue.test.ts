import assert from "node:assert/strict";
import { test } from "node:test";
import { saying, servedPort, silent } from "../../../test/kit/served.ts";
import { openPorts, PortDialogue, SMTP_REPLY } from "./port-dialogue.ts";

const AT = { localAddress: "127.71.9.26", timeoutMs: 5_000 };

test("replies are read one by one, including those of several lines", async () => {
  const port = await servedPort(saying("220 ready\r\n250-first\r\n250 last\r\n"));
  const dialogue = await PortDialogue.open({ ...AT, port });
  assert.equal(await dialogue.hears(SMTP_REPLY), "220 ready\r\n");
  assert.equal(await dialogue.ask("EHLO x"), "250-first\r\n250 last\r\n");
  assert.equal(dialogue.tls, null);
  dialogue.close("QUIT");
});

test("a port that is silent, closed or without TLS rejects in time", async () => {
  const silentPort = await servedPort(silent);
  const waiting = await PortDialogue.open({ ...AT, port: silentPort, timeoutMs: 100 });
  await assert.rejects(waiting.hears(SMTP_REPLY), { code: "ETIMEDOUT", message: "gave no answer within 0.1 s" });
  await assert.rejects(waiting.startTls({ rejectUnauthorized: false }), { code: "ETIMEDOUT" });
  waiting.close();
  await assert.rejects(PortDialogue.open({ ...AT, port: 9 }), { code: "ECONNREFUSED" });
  const plain = await servedPort(saying("220 ready\r\n"));
  const withTls = PortDialogue.open({ ...AT, port: plain, tls: { rejectUnauthorized: false } });
  await assert.rejects(withTls, /SSL|wrong version/);
});

test("only ports that accept a connection are found", async () => {
  const ports = [await servedPort(silent), await servedPort(silent)].toSorted((a, b) => a - b);
  assert.deepEqual(await openPorts("127.0.0.1", [9, ...ports.toReversed()]), ports);
  assert.deepEqual(await openPorts("127.0.0.1", []), []);
});
