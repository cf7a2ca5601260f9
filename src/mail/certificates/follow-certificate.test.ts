import assert from "node:assert/strict";
import { createServer as createPlain } from "node:net";
import { test } from "node:test";
import { createServer } from "node:tls";
import { put } from "../../../test/kit/files.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { installed } from "../../../test/kit/needs.ts";
import { selfSigned } from "../../../test/kit/own-certificate.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { certificateNews, certificateReport, notServing } from "./follow-certificate.ts";
import { servedFiles } from "./issue-certificate.ts";

const OPENSSL = installed("openssl");

test("the report names no certificate before the first one is in use", async () => {
  const reported = await certificateReport(temporaryLayout(), [], []);
  assert.deepEqual(reported, { ok: false, reason: "No certificate is in use yet." });
});

test("reports the certificate with its names and its end, and the ports that serve it", OPENSSL, async () => {
  const layout = temporaryLayout();
  const [served, other] = [selfSigned("mail.example.org"), selfSigned("other.example")];
  put(servedFiles(layout).cert, served.cert);
  const good = await listenOnPort(createServer(served));
  const bad = await listenOnPort(createServer(other));
  const silent = await listenOnPort(createPlain((socket) => socket.end()));
  const soon = { code: "certificate_expiring", detail: "soon" } as const;
  const reported = await certificateReport(layout, [good, bad, silent], [soon]);
  assert.ok(reported.ok && reported.certificate !== undefined);
  const { names, isSelfSigned, notBefore, notAfter, trouble, ports } = reported.certificate;
  assert.deepEqual([names, isSelfSigned, trouble], [["mail.example.org"], true, "soon"]);
  assert.ok(notBefore < notAfter);
  assert.deepEqual(ports, [
    { port: good, isServed: true },
    { port: bad, isServed: false },
    { port: silent, isServed: null },
  ]);
  assert.doesNotMatch(JSON.stringify(reported), /PRIVATE/);
});

test("waits until a port serves only the new certificate, as old processes may still accept", OPENSSL, async () => {
  const [old, fresh] = [selfSigned("old"), selfSigned("new")];
  const server = createServer(old);
  const port = await listenOnPort(server);
  assert.deepEqual(await notServing(old.cert, [port]), []);
  assert.deepEqual(await notServing(fresh.cert, [port], 300), [port]);
  let asked = 0;
  // Of the first eight connections every third gets the old one.
  server.on("connection", () => server.setSecureContext(++asked < 9 && asked % 3 === 0 ? old : fresh));
  assert.deepEqual(await notServing(fresh.cert, [port]), []);
  const shown = asked;
  assert.ok(shown >= 9, `after ${shown} connections`);
});

test("a port that is closed, or does not speak TLS, is named", OPENSSL, async () => {
  const { cert } = selfSigned("any");
  const mute = await listenOnPort(createPlain((socket) => socket.end("220 hello\r\n").on("error", () => undefined)));
  assert.deepEqual(await notServing(cert, [mute, 1], 300), [mute, 1]);
});

test("the message about a new certificate", OPENSSL, async () => {
  const made = selfSigned("any");
  const port = await listenOnPort(createServer(made));
  const none = { fresh: null, failed: null };
  const fresh = made.cert;
  const failed = "Postfix could not be reloaded.";
  for (const [news, ports, ...says] of [
    [none, [port]],
    [{ ...none, fresh }, [port], "New connections get the new certificate."],
    [{ ...none, fresh }, [port, 1], "Port 1 does not serve the new certificate yet."],
    [{ ...none, fresh }, [1, 2], "Ports 1 and 2 do not serve the new certificate yet."],
    [{ ...none, failed }, [port], `The new certificate is not in use: ${failed}`],
  ] as const)
    assert.deepEqual(await certificateNews(news, ports, ports.length > 1 ? 1_000 : undefined), says);
});
