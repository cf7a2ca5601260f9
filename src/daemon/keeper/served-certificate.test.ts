import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer as createPlain } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createServer } from "node:tls";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../adapters/machine/run-program.ts";
import { certificateNews, notServing } from "./served-certificate.ts";

const OPENSSL = { skip: lacking({ installed: ["openssl"] }) };

async function selfSigned(name: string): Promise<Readonly<{ cert: string; key: string }>> {
  const directory = temporaryDirectory();
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  const made = await runProgram("openssl", [
    "req",
    "-x509",
    ...kind,
    "-subj",
    `/CN=${name}`,
    "-keyout",
    key,
    "-out",
    cert,
  ]);
  assert.equal(made.code, 0, made.stderr);
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

test("a port is waited for until it gives the new certificate", OPENSSL, async () => {
  const [old, fresh] = await Promise.all([selfSigned("old"), selfSigned("new")]);
  const server = createServer(old);
  const port = await listenOnPort(server);
  assert.deepEqual(await notServing(old.cert, [port]), []);
  assert.deepEqual(await notServing(fresh.cert, [port], 300), [port]);
  let asked = 0;
  server.on("connection", () => {
    if (++asked === 2) server.setSecureContext(fresh);
  });
  assert.deepEqual(await notServing(fresh.cert, [port]), []);
  assert.ok(asked > 2, "it looked again");
});

test("a port that is closed, or speaks no TLS, is named", OPENSSL, async () => {
  const { cert } = await selfSigned("any");
  const mute = await listenOnPort(createPlain((socket) => socket.end("220 hello\r\n").on("error", () => undefined)));
  assert.deepEqual(await notServing(cert, [mute, 1], 300), [mute, 1]);
});

test("what the owner is told of a new certificate", OPENSSL, async () => {
  const made = await selfSigned("any");
  const port = await listenOnPort(createServer(made));
  const none = { fresh: null, failed: null };
  assert.deepEqual(await certificateNews(none, [port]), []);
  assert.deepEqual(await certificateNews({ ...none, fresh: made.cert }, [port]), [
    "New connections get the new certificate.",
  ]);
  assert.deepEqual(await certificateNews({ ...none, fresh: made.cert }, [port, 1], 300), [
    "Port 1 does not give the new certificate yet.",
  ]);
  assert.deepEqual(await certificateNews({ ...none, failed: "Postfix could not be reloaded." }, [port]), [
    "The new certificate is not in use: Postfix could not be reloaded.",
  ]);
});
