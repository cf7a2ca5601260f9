import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { AccountKey } from "../../src/admin/declare/account-key.ts";
import { parseAccountName } from "../../src/core/net/address.ts";
import { ask } from "../../src/host/sockets/control-client.ts";
import type { Layout } from "../../src/settings/layout.ts";
import { makeAccountKey } from "../../src/store/passwords/account-key.ts";
import { hashPassword, passwordHashWith } from "../../src/store/passwords/password-hash.ts";
import { keepForRun, keptByRun } from "./kept-by-run.ts";
import { PASSWORD } from "./product.ts";

/**
 * Sends the commands of `account add` directly to the guard of a new server, whose mail is not encrypted yet. A process for each
 * account would take half a second to judge its password. accounts.test.ts and others test the command itself.
 */
export async function addFirstAccounts(layout: Layout, names: readonly string[]) {
  if (names.length === 0) return;
  // A hash costs 40 ms of CPU time.
  const hash = keptByRun("password-hash") ?? keepForRun("password-hash", await hashPassword(PASSWORD));
  for (const name of names) await send(layout, "account_create_hashed", { name, password: PASSWORD, hash, keys: [] });
}

/** What `account passwd` sends to the guard of a server with encrypted mail: a key with each password. */
export async function setPassword(layout: Layout, name: string, password: string): Promise<void> {
  const keys = [await makeAccountKey(password, readFileSync(layout.mailRecoveryKey, "utf8"))];
  await send(layout, "account_set_hash", { name, password, hash: await hashPassword(password), keys });
}

type Secret = Readonly<{ name: string; password: string; hash: string; keys: readonly AccountKey[] }>;

async function send(
  { controlSocket, loginPolicySecret }: Layout,
  verb: "account_create_hashed" | "account_set_hash",
  { name: of, password, hash, keys }: Secret,
): Promise<void> {
  const name = parseAccountName(of) ?? assert.fail(of);
  const passwordHash = passwordHashWith(loginPolicySecret, name, password);
  const reply = await ask(controlSocket, { by: "root" }, { verb, name, hash, passwordHash, keys, recovers: false });
  assert.ok(reply.ok, JSON.stringify(reply));
}
