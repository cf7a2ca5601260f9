import assert from "node:assert/strict";
import type { Command } from "../../src/admin/declare/control.ts";
import type { AccountName } from "../../src/core/net/address.ts";
import type { Ip } from "../../src/core/net/ip.ts";
import { createMailboxSignIn } from "../../src/guard/access/mailbox-sign-in.ts";
import { createPasskeys } from "../../src/guard/access/passkeys.ts";
import { digestOf } from "../../src/guard/access/secrets.ts";
import { createSignIn, type Opened } from "../../src/guard/access/sign-in.ts";
import { CommandGate } from "../../src/guard/commands/web/command-gate.ts";
import { parsedCommandOf } from "./commands.ts";
import { hashOf, openSession, PASSWORD } from "./commands-kit.ts";
import { accountsOnMemory, engineOnMemory } from "./engine-kit.ts";
import { beforeEachOf } from "./hooks.ts";
import { ip } from "./samples.ts";
import { columnOf } from "./test-database.ts";

export const BY = "web:admin via 203.0.113.9";
const AS = { as: "5e".repeat(32), ip: "203.0.113.9" };

type Verify = (hash: string, password: string) => Promise<boolean>;

/** What a sign-in led to: `in`, or why not. */
export const outcomeOf = <T extends string>(opened: Opened | T): T | "in" =>
  typeof opened === "string" ? opened : "in";

/** The gate for the web's commands, in front of an engine in memory, with the owner signed in. */
export function webGateOnMemory() {
  const memory = engineOnMemory();
  const { engine, sqlite, clock, db } = memory;
  const { accounts, active, sessions, factors, passkeys, networks, credentials } = accountsOnMemory(db, clock);
  credentials.setAdminPassword(hashOf(PASSWORD));
  const signInAs = (secret: string, account: AccountName | null = null): void =>
    openSession({ sessions, clock }, { ...AS, as: secret }, account);
  signInAs(AS.as);
  let maySignIn = true;
  const mailboxes = () => ({ maySignIn });
  const gate = new CommandGate({ engine, allowList: sqlite, clock, credentials, sessions, mailboxes, networks });
  const hostname = () => "mail.example.test";
  const passwords = {
    verify: (hash: string, password: string) => Promise.resolve(hash === hashOf(password)),
    decoy: "",
  };
  const keys = createPasskeys({ passkeys, names: () => [hostname()], clock });
  const parts = { engine, credentials, sessions, factors, hostname, passwords, keys, clock };
  const signIn = createSignIn(parts, gate.bounds, Buffer.alloc(32, 1));
  const secrets = { passwordHashOf: (_: string, password: string) => digestOf(password).slice(0, 4) };
  const mailboxParts = { ...parts, accountHistory: memory.accountHistory, active, secrets, mailboxes };
  const mailboxSignIn = createMailboxSignIn(mailboxParts, gate.bounds);
  const rows = (sql: string, ...values: readonly string[]): readonly string[] =>
    columnOf(db, sql, ...values).map(String);
  const admit = (command: Command, as: Readonly<{ as?: string; ip?: string; isDry?: boolean }> = AS) =>
    gate.admit({ command: parsedCommandOf(command), by: "root", ...as }, "web");
  return {
    ...memory,
    gate,
    bansInForce: sqlite,
    credentials,
    sessions,
    factors,
    hostname,
    passkeys,
    keys,
    signIn,
    accounts,
    mailboxSignIn,
    /** The sign-in with passwords that are verified like this. */
    verifying: (verify: Verify) => createSignIn({ ...parts, passwords: { verify, decoy: "" } }, gate.bounds),
    verifyingMailboxes: (verify: Verify, decoy = "") =>
      createMailboxSignIn({ ...mailboxParts, passwords: { verify, decoy } }, gate.bounds),
    /** Bars mailbox users from the dashboard from now on. */
    shutMailboxes: () => (maySignIn = false),
    /** The result of a sign-in with the owner's correct password, in a browser that has this cookie. */
    opened: async (given: Readonly<{ ip?: Ip; known?: string | null; code?: string }> = {}): Promise<Opened> => {
      const owner = { ip: ip("203.0.113.7"), password: PASSWORD, known: null, ...given };
      const opened = await signIn.open(owner, "Firefox on Linux");
      return typeof opened === "object" ? opened : assert.fail(opened);
    },
    signInAs,
    admit,
    /** Asks with the owner's session; returns null if admitted. A refusal's record is committed by the end of the turn. */
    ask: async (command: Command) => {
      const admitted = admit(command);
      await new Promise((resolve) => setImmediate(resolve));
      return "error" in admitted ? admitted.error : null;
    },
    refused: () => rows("SELECT details FROM event WHERE type = 'COMMAND_REFUSED' ORDER BY id"),
    /** The records of commands that callers had no right to. */
    denied: () => rows("SELECT details FROM event WHERE type = 'CALLER_REFUSED' ORDER BY id"),
    count: (type: string) => rows("SELECT id FROM event WHERE type = ?", type).length,
    named: () => rows("SELECT DISTINCT account FROM event WHERE account IS NOT NULL"),
  };
}

/** The same, new for each test of `file`. */
export function webGateOf(file: string) {
  const kit = webGateOnMemory();
  beforeEachOf(file, () => void Object.assign(kit, webGateOnMemory()));
  return kit;
}
