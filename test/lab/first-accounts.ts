import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseAccountName } from "../../src/core/net/address.ts";
import { ask } from "../../src/host/sockets/control-client.ts";
import type { Layout } from "../../src/settings/layout.ts";
import { makeAccountKey } from "../../src/store/passwords/account-key.ts";
import { hashPassword, passwordHashWith } from "../../src/store/passwords/password-hash.ts";
import { keepForRun, keptByRun } from "./kept-by-run.ts";
import { PASSWORD } from "./product.ts";

const ROOT = { by: "root" } as const;

/**
 * Sends the commands of `account add` to the guard of a new server, whose mail is not encrypted yet, without a process for each account, which
 * would judge the password each time, in half a second. The command itself is tested by accounts.test.ts and others.
 */
export async function addFirstAccounts({ controlSocket, loginPolicySecret }: Layout, names: readonly string[]) {
  const hash = names.length === 0 ? "" : await hashOfPassword();
  for (const each of names) {
    const name = parseAccountName(each);
    assert.ok(name !== null, each);
    const secret = { hash, passwordHash: passwordHashWith(loginPolicySecret, name, PASSWORD) };
    const added = await ask(controlSocket, ROOT, {
      verb: "account_create_hashed",
      name,
      ...secret,
      keys: [],
      recovers: false,
    });
    assert.ok(added.ok, JSON.stringify(added));
  }
}

/** What `account passwd` sends to the guard of a server with encrypted mail: a key with each password. */
export async function setPassword(layout: Layout, of: string, password: string): Promise<void> {
  const name = parseAccountName(of);
  assert.ok(name !== null, of);
  const secret = {
    hash: await hashPassword(password),
    passwordHash: passwordHashWith(layout.loginPolicySecret, name, password),
  };
  const keys = [await makeAccountKey(password, readFileSync(layout.mailRecoveryKey, "utf8"))];
  const set = await ask(layout.controlSocket, ROOT, {
    verb: "account_set_hash",
    name,
    ...secret,
    keys,
    recovers: false,
  });
  assert.ok(set.ok, JSON.stringify(set));
}

/** A hash costs 40 ms of CPU time. */
async function hashOfPassword(): Promise<string> {
  return keptByRun("password-hash") ?? keepForRun("password-hash", await hashPassword(PASSWORD));
}
