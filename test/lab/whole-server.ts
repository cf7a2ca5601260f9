import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as z from "zod/mini";
import { rowsOf } from "../../src/jobs/backup/manifest.ts";
import type { Layout } from "../../src/settings/layout.ts";
import { makeCheap } from "../kit/cheap-repository.ts";
import type { Lab } from "./lab.ts";
import { tryLogIn } from "./mail.ts";
import { hashesOf, manyMails } from "./many-mails.ts";
import { Product } from "./product.ts";

export const DOMAINS = ["example.test", "second.test", "third.test"];
/** Accounts of all domains, each with its own password. */
export const MANY = Array.from({ length: 20 }, (_, i) => `user${i}@${DOMAINS[i % 3]}`);
export const passwordOf = (name: string): string => `the password of ${name}`;
export const BANNED_FOR_GOOD = "198.51.100.99";

/** Gives a running server of these domains the accounts of MANY, aliases, a ban and mails. */
export async function fillServer(product: Product, mails: number): Promise<void> {
  const file = product.lab.path("accounts");
  writeFileSync(file, MANY.map((name) => `${name}|{PLAIN}${passwordOf(name)}\n`).join(""));
  await product.json(["account", "import", file]);
  for (const domain of DOMAINS) await product.json(["alias", "add", `office@${domain}`, `user0@${DOMAINS[0]}`]);
  await product.json(["ban", BANNED_FOR_GOOD, "kept", "--permanent"]);
  manyMails(product.layout, MANY).add(mails);
  // Dovecot numbers a folder's mails when it first opens the folder. Retention, for example, opens all folders.
  const status = ["doveadm", "-c", product.layout.dovecotConf, "mailbox", "status", "-A", "messages", "*"];
  await product.lab.server.mustExec(status, { deadlineMs: 60_000 });
}

/** Hashes of everything that must come back: mails with flags and folders; accounts with passwords, aliases, bans and tokens; keys; settings. */
export function stateOf(layout: Layout) {
  const mails = "*/*/Maildir{,/.*}/{cur,new}/*";
  const indexes = "*/*/Maildir{,/.*}/{dovecot-keywords,subscriptions,maildirfolder}";
  return {
    mails: hashesOf(layout.mail, globSync([mails, indexes], { cwd: layout.mail }).toSorted()),
    rows: rowsOf(layout),
    keys: hashesOf(layout.dkimKeys, readdirSync(layout.dkimKeys).toSorted()),
    certificate: readFileSync(layout.tlsCert, "utf8"),
    settings: readFileSync(layout.settings, "utf8"),
  };
}

/** Backs up a server of these domains to a directory, and discards the server. */
export async function backedUp(lab: Lab, elsewhere: string, mails: number) {
  const settings = {
    GHOSTINBOX_DOMAIN: DOMAINS.join(),
    GHOSTINBOX_BACKUP__REPOSITORY: elsewhere,
    // Prevents alerts by mail to the first account after the backup: a busy machine may cause one.
    GHOSTINBOX_ALERTS__WEBHOOK: "http://127.0.0.1:9/",
  };
  const source = new Product(lab, settings, { isByNpm: false });
  await source.start();
  await fillServer(source, mails);
  const { key } = z.parse(z.object({ key: z.string() }), await source.json(["backup", "create"]));
  // A cheap key will do: only the restored mails are compared.
  makeCheap(elsewhere, key);
  await source.stopAndCheck();
  const state = stateOf(source.layout);
  rmSync(source.layout.data, { recursive: true });
  return { key, state };
}

export function expectState(now: ReturnType<typeof stateOf>, then: typeof now, mails: number): void {
  assert.equal(Object.keys(then.mails).filter((path) => path.includes(":2,")).length, mails);
  for (const part of ["rows", "keys", "certificate", "settings", "mails"] as const)
    assert.deepEqual(now[part], then[part], part);
}

export async function signInAs(lab: Lab, accounts: readonly string[], from: string): Promise<void> {
  for (const name of accounts) assert.match(await tryLogIn(lab.sender, from, name, passwordOf(name)), /^OK/, name);
}
