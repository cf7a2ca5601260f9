import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ask, heldEngine, postfixAt } from "../../../test/kit/policy-server-kit.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { createLoginPolicyServer } from "../../mail/dovecot/login-policy-server.ts";
import { createPolicyServer } from "../../mail/postfix/policy-server.ts";
import { createStandIn, takeOver, WITHOUT_GUARD } from "./stand-in.ts";

const SECRET = "5f2c9d";
const SIGN_IN = JSON.stringify({ login: "alice", protocol: "imap", remote: "203.0.113.7", pwhash: "0a" });

/** The sockets of a guard, and its servers; the one for sign-ins runs. */
async function places() {
  const layout = temporaryLayout("policySocket", "standIn");
  const engine = heldEngine();
  const parts = { submit: engine.submit, secret: SECRET, report: assert.fail, guardsProxied: () => false };
  const logins = createLoginPolicyServer(parts);
  const loginPort = await logins.start(0);
  const policy = createPolicyServer(engine.submit, assert.fail, WITHOUT_GUARD);
  return { engine, parts, logins, policy, layout, loginPort };
}

/** The sockets of a dead guard. */
async function abandoned() {
  const { logins, ...guard } = await places();
  await logins.stop();
  let hasLeft = false;
  return {
    ...guard,
    start: () => createStandIn(guard.layout, guard.loginPort, SECRET, () => (hasLeft = true))(),
    /** A guard takes over: the stand-in leaves, and had not left before. */
    takesOver: async (start: () => Promise<void>) => {
      assert.equal(hasLeft, false);
      await takeOver(guard.layout.standIn, start);
      await until(() => hasLeft, "it leaves");
    },
  };
}

async function signIn(port: number): Promise<string> {
  const url = `http://127.0.0.1:${port}/?command=allow`;
  const headers = { authorization: `Bearer ${SECRET}`, connection: "close" };
  return (await fetch(url, { method: "POST", headers, body: SIGN_IN })).text();
}

async function answer(path: string, question: string): Promise<string> {
  const client = postfixAt(path);
  client.socket.write(question);
  await until(() => client.text() !== "", "it answers");
  client.socket.destroy();
  return client.text();
}

test("mail and sign-ins pass, what only the guard can judge does not, and the guard takes over", async () => {
  const { engine, parts, policy, layout, loginPort, start, takesOver } = await abandoned();
  await start();
  assert.equal(await answer(layout.policySocket, ask()), "action=DUNNO\n\n");
  for (const context of ["proxied-smtp", "sieve"]) {
    const proxied = ask("DATA", `policy_context=${context}`);
    assert.match(await answer(layout.policySocket, proxied), /^action=421 4\.3\.2 /, context);
  }
  assert.equal(await signIn(loginPort), '{"status":0,"msg":""}');

  // Both listen for a moment, so that no sign-in finds the port closed.
  const guard = createLoginPolicyServer(parts);
  await guard.start(loginPort);
  await takesOver(async () => policy.start(layout.policySocket));
  assert.equal(existsSync(layout.standIn), false);
  const client = postfixAt(layout.policySocket);
  client.socket.write(ask());
  await until(() => engine.asked.length === 1, "the guard is asked");
  client.socket.destroy();
  await Promise.all([policy.stop(), guard.stop()]);
});

test("mail passes while another program holds the port of sign-ins, until the guard takes over", async (t) => {
  const { layout, loginPort, start, takesOver } = await abandoned();
  const other = createServer().listen(loginPort, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  await start();
  assert.equal(await answer(layout.policySocket, ask()), "action=DUNNO\n\n");
  other.close();
  await takesOver(async () => undefined);
});

test("no stand-in starts beside a guard or another stand-in", async () => {
  const { logins, policy, layout, loginPort } = await places();
  await policy.start(layout.policySocket);
  await assert.rejects(
    createStandIn(layout, loginPort, SECRET, () => undefined)(),
    /another program is listening there/,
  );
  await Promise.all([policy.stop(), logins.stop()]);
});

test("a second stand-in leaves the first in its place", async () => {
  const { layout, start, takesOver } = await abandoned();
  await start();
  for (let i = 0; i < 3; i++) await assert.rejects(start(), /another program is listening there/);
  assert.equal(await answer(layout.policySocket, ask()), "action=DUNNO\n\n");
  await takesOver(async () => undefined);
});

test("a guard starts without a stand-in too", async () => {
  const { logins, policy, layout } = await places();
  await takeOver(layout.standIn, async () => policy.start(layout.policySocket));
  await Promise.all([policy.stop(), logins.stop()]);
});

test("a stand-in whose handover socket is gone ends, so that a guard can listen", async () => {
  const layout = temporaryLayout("policySocket", "standIn", "loginPolicySecret");
  writeFileSync(layout.loginPolicySecret, SECRET);
  const main = join(import.meta.dirname, "stand-in-main.ts");
  const standIn = spawn(process.execPath, [main, layout.data, "0", String(process.pid)], { stdio: "inherit" });
  const ended = once(standIn, "exit");
  await until(() => existsSync(layout.policySocket), "it listens");
  rmSync(layout.standIn);
  assert.deepEqual(await ended, [0, null]);
});
