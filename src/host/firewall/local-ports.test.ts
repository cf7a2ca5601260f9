import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { USERS } from "../../settings/layout.ts";
import { localPorts, protectLocalPorts } from "./local-ports.ts";

const PORTS = {
  "ports.login_policy": 11_025,
  "ports.sieve_mail": 11_026,
  "ports.http": 3_000,
  "http.address": ip("::1"),
};
const local = localPorts(PORTS, (name) => ({ [USERS.guard]: 104, [USERS.mail]: 106, [USERS.web]: 107 })[name] ?? 105);

test("only the guard answers Dovecot, only Dovecot asks it, and only the web serves the dashboard", () => {
  assert.deepEqual(local, [
    { port: 11_025, clients: { set: "askers", users: [105] }, server: 104, address: "127.0.0.1" },
    { port: 11_026, clients: { set: "sieve_senders", users: [106] }, server: null, address: "127.0.0.1" },
    { port: 3_000, clients: null, server: 107, address: "::1" },
  ]);
});

test("nft gets the rules in one transaction, and its failure is one sentence", async () => {
  const path = temporaryDirectory();
  const heard = join(path, "heard");
  const nft = (script: string): void => writeFileSync(join(path, "nft"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  nft(`exec /bin/cat >${heard}`);
  assert.deepEqual(await protectLocalPorts(local, path), { ok: true });
  const rule = /ip saddr 127\.0\.0\.1 tcp sport 11025 tcp flags .* meta skuid 104 accept\n/;
  assert.match(readFileSync(heard, "utf8"), rule);
  nft("/bin/cat >/dev/null; echo 'Error: no such thing' >&2; exit 1");
  assert.deepEqual(await protectLocalPorts(local, path), { ok: false, reason: "nft failed: no such thing" });
});
