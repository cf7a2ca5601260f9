import assert from "node:assert/strict";
import { parseControlLine, printLine } from "../../src/admin/declare/codec.ts";
import type { Command, ControlLine, Reply } from "../../src/admin/declare/control.ts";
import type { KeeperCommand, KeeperReply, ListedMail, QueuedMail } from "../../src/admin/declare/keeper.ts";
import type { Origin } from "../../src/admin/declare/verb.ts";
import type { AccountName } from "../../src/core/net/address.ts";
import { digestOf } from "../../src/guard/access/secrets.ts";
import type { Passwords } from "../../src/guard/access/sign-in.ts";
import type { SessionStore } from "../../src/guard/admin-ports.ts";
import { createCommands } from "../../src/guard/commands/commands.ts";
import { QueueUpkeep } from "../../src/guard/commands/queue/queue-upkeep.ts";
import { noEnforcement } from "../../src/guard/enforce/enforce.ts";
import { healthOf } from "../../src/guard/explain/health.ts";
import type { Clock } from "../../src/guard/ports.ts";
import { sqliteLastSignIns } from "../../src/store/engine-db/account-history.ts";
import { accountsOnMemory, engineOnMemory, NO_ALERTS, rowsOf, TEST_POLICY } from "./engine-kit.ts";
import { beforeEachOf } from "./hooks.ts";
import { NO_NEEDS } from "./no-needs.ts";
import { ip, net } from "./samples.ts";
import { columnOf } from "./test-database.ts";
import { upkeepOf } from "./upkeep-kit.ts";

export const HASH = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";

/** The owner's session at the dashboard. */
export const OWNER = { as: "0e".repeat(32), ip: "203.0.113.8" };

/** Opens a session at the dashboard with this secret; without an account the administrator's. */
export function openSession(
  { sessions, clock }: Readonly<{ sessions: SessionStore; clock: Clock }>,
  { as, ip: from }: typeof OWNER,
  account: AccountName | null = null,
): void {
  const [id, device] = [as.slice(-12), "Firefox on Linux"];
  sessions.open({ digest: digestOf(as), id, account, device, ip: ip(from), at: clock.now() });
}

/** The kit's password hash. */
export function hashOf(password: string): string {
  return `{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$${Buffer.from(password).toString("hex")}`;
}

/** A command that the keeper gets. */
export type KeeperCommandOf<V extends KeeperCommand["verb"]> = Extract<KeeperCommand, { readonly verb: V }>;

/** What the Sieve scripts of an account called alice do. */
const redirects = (accounts: readonly string[]) =>
  accounts
    .filter((name) => name.startsWith("alice@"))
    .map((address) => ({ address, to: ["alice@elsewhere.example"], by: ".dovecot.sieve" }));

/** Every command on a real engine and real databases in memory; the keeper only records its commands. */
export function commandsOnMemory(policy = TEST_POLICY) {
  const memory = engineOnMemory(policy, [{ prefix: net("203.0.113.1/32"), why: "gateway" }]);
  const { engine, sqlite, accountHistory, notices, clock, db } = memory;
  const stores = accountsOnMemory(db, clock, () => engine.commit());
  const { accounts, accountLists, active, networks, factors, sessions, heldMail, vacations } = stores;
  const asked: KeeperCommand[] = [];
  const replies = new Map<KeeperCommand["verb"], KeeperReply>();
  /** What a test may set. */
  const given = {
    keeperUp: true,
    /** The keeper's replies: what it finds in the queue (`find_mail`), and how it lists the queue (`list_mail`). */
    queue: (() => []) as (asked: KeeperCommandOf<"find_mail">) => readonly QueuedMail[],
    list: (() => ({ queue: [] })) as (
      asked: KeeperCommandOf<"list_mail">,
    ) => Readonly<{ queue: readonly ListedMail[] }>,
    /** The mail addresses for alerts. */
    alertsTo: [] as readonly string[],
    /** Whether flushes succeed. */
    diskWell: true,
    whileHashing: (): Promise<unknown> => Promise.resolve(),
    /** Whether each account has a key for its mail. */
    keyOfEach: false,
    settingsText: 'domains = ["example.test"]\n',
    settingsEnv: {} as Readonly<Record<string, string>>,
    waiting: {} as Readonly<Record<string, string>>,
    /** The result of reading the settings. */
    reloaded: { ok: true, changed: [] } as ReturnType<Parameters<typeof createCommands>[0]["reload"]>,
    /** How often the lists for the content filters were refreshed. */
    listsRefreshed: 0,
  };
  const answer = (command: KeeperCommand): KeeperReply => {
    if (!given.keeperUp) return { ok: false, reason: "no answer" };
    const reply = replies.get(command.verb);
    if (reply !== undefined) return reply;
    if (command.verb === "find_mail") return { ok: true, detail: "", mails: given.queue(command) };
    if (command.verb === "list_mail") return { ok: true, detail: "", ...given.list(command) };
    if (command.verb === "mailbox_use") return { ok: true, detail: "", mailbox: { usedBytes: 1_200, mails: 3 } };
    if (command.verb === "redirects") return { ok: true, detail: "", redirects: redirects(command.accounts) };
    return { ok: true, detail: "", count: "ids" in command ? command.ids.length : 0 };
  };
  const keeper = {
    ask: (command: KeeperCommand): Promise<KeeperReply> => {
      if (command.verb !== "status") asked.push(command);
      return Promise.resolve(answer(command));
    },
  };
  const health = {
    keeper,
    notices,
    clock,
    startedAt: engine.startedAt,
    keeperSeen: { at: engine.startedAt },
    firewall: noEnforcement.status,
  };
  const passwords: Passwords = {
    verify: (hash, password) => Promise.resolve(hash === hashOf(password)),
    decoy: hashOf("no password at all"),
  };
  const logged: string[] = [];
  const note = (text: string): void => void logged.push(text);
  const log = { info: note, warn: note, error: note };
  const upkeep = new QueueUpkeep({ engine, keeper, heldMail, accounts, active, clock, log });
  const run = createCommands({
    ...stores,
    engine,
    bansInForce: sqlite,
    allowList: sqlite,
    clock,
    alertsTo: () => given.alertsTo,
    accountHistory,
    lastSignIn: (account) => sqliteLastSignIns(db)(account),
    secrets: {
      make: async (asked) => {
        await given.whileHashing();
        return asked.map(({ password }) => ({ hash: hashOf(password), passwordHash: "0abc" }));
      },
      passwordHashOf: () => "0abc",
    },
    mailboxes: () => ({ quotaBytes: 5_000, keyOfEach: given.keyOfEach, maySignIn: true }),
    recipients: { exists: (address) => address === "owner@example.test" },
    pauses: stores.correspondents,
    queue: upkeep,
    contentLists: { refresh: () => void given.listsRefreshed++ },
    keeper,
    tokens: (asked) => stores.credentials.tokens(asked),
    hostname: () => "mail.example.test",
    mailPorts: () => ({ host: "mail.example.test", imapPort: 993, smtpPort: 465 }),
    names: () => ["mail.example.test"],
    passwords,
    health: () => healthOf({ ...health, events: () => 0, needs: NO_NEEDS }),
    settingsText: () => ({ ok: true, text: given.settingsText, env: given.settingsEnv }),
    reload: () => given.reloaded,
    pending: () => {
      const { reloaded } = given;
      return reloaded.ok ? { ...reloaded, inForce: reloaded.changed.map(() => "1"), waiting: given.waiting } : reloaded;
    },
    flushed: () => Promise.resolve(given.diskWell),
    alerts: NO_ALERTS,
    upkeep: upkeepOf({ keeper, clock }),
    pid: 1,
  });
  type As = Partial<Omit<ControlLine, "command">>;
  const ask = <C extends Command>(command: C, origin: Origin = "root", as?: As) => {
    const line = printLine({ by: origin === "root" ? "root" : "web:unnamed", ...as, command });
    const parsed = parseControlLine(line);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each verb has its own reply
    return (parsed.ok ? run(parsed.value, origin) : Promise.resolve(parsed.error)) as Promise<Reply<C["verb"]>>;
  };
  const rows = (column: string) => columnOf(db, `SELECT ${column} FROM event ORDER BY id`);
  return {
    ...memory,
    given,
    passwordHashesOf: (account: string) => accountHistory.passwordHashes(account),
    accounts,
    accountLists,
    active,
    networks,
    appPasswordsOf: stores.appPasswordsOf,
    forwardingOf: stores.forwardingOf,
    vacationOf: (account: string) => vacations.vacationOf(account),
    sessions,
    factors,
    keeper,
    heldMail,
    upkeep,
    logged,
    ask,
    /** The result of the command; fails if it is refused. */
    result: async <C extends Command>(command: C, origin?: Origin, as?: As) => {
      const reply = await ask(command, origin, as);
      assert.ok(reply.ok, JSON.stringify(reply));
      return reply.result;
    },
    /** Why it is refused, or `done`. */
    said: async (...asked: Parameters<typeof ask>): Promise<string> => {
      const reply = await ask(...asked);
      return reply.ok ? "done" : `${reply.kind} ${reply.message} ${reply.next}`;
    },
    signIn: (who: typeof OWNER, account: AccountName | null = null): void =>
      openSession({ sessions, clock }, who, account),
    /** The reply to a dry run by the owner, who must be signed in at the dashboard (`signIn(OWNER)`). */
    dryRun: (command: Command): Promise<Reply> => ask(command, "web", { ...OWNER, isDry: true }),
    /** Every row of both databases. */
    state: () => JSON.stringify([stores.rows(), rowsOf(db)]),
    /** The keeper's commands, except for status queries. */
    asked,
    kept: () => asked.map(({ verb }) => verb),
    /** The keeper's replies to these commands, instead of the usual ones. */
    replies,
    rows: () => rows("id").length,
    /** The type and text of each event that matches. */
    recorded: (pattern: RegExp): readonly string[] =>
      rows("type || ' ' || details")
        .map(String)
        .filter((event) => pattern.test(event)),
    types: () => rows("type"),
    details: () => rows("details"),
    /** Refuses all further rows, like a full disk. */
    fillDisk: () => {
      db.exec("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    },
  };
}

/** The same, new for each test of `file`, with these accounts. */
export function commandsOf(file: string, ...accounts: readonly string[]) {
  const kit = commandsOnMemory();
  beforeEachOf(file, async () => {
    Object.assign(kit, commandsOnMemory());
    for (const name of accounts)
      assert.equal(await kit.said({ verb: "account_create_hashed", name, hash: HASH }), "done");
    kit.asked.splice(0);
  });
  return kit;
}

export const PASSWORD = "correct horse battery";

/** The same, with this password for the dashboard. */
export function dashboardOf(file: string) {
  const kit = commandsOf(file);
  beforeEachOf(file, () => kit.result({ verb: "admin_set_hash", hash: hashOf(PASSWORD) }));
  return kit;
}

/** Why a command was refused; fails if it was not. */
export const refusalOf = (reply: Reply): string => (reply.ok ? assert.fail(JSON.stringify(reply)) : reply.message);
