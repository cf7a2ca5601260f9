import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import type { Results } from "../../src/admin/declare/control.ts";
import type { KeeperCommand, KeeperReply } from "../../src/admin/declare/keeper.ts";
import type { Change } from "../../src/core/decide/decision.ts";
import { instant } from "../../src/core/time.ts";
import type { CommandParts } from "../../src/guard/commands/carry-out.ts";
import { createCommands } from "../../src/guard/commands/commands.ts";
import { QueueUpkeep } from "../../src/guard/commands/queue/queue-upkeep.ts";
import { CommitFeed } from "../../src/guard/commits.ts";
import { noEnforcement } from "../../src/guard/enforce/enforce.ts";
import { Engine } from "../../src/guard/engine.ts";
import { healthOf } from "../../src/guard/explain/health.ts";
import { connect } from "../../src/programs/command-line/connect.ts";
import { composeStores } from "../../src/programs/guard/compose-stores.ts";
import { type Layout, layoutOf } from "../../src/settings/layout.ts";
import { toPolicy } from "../../src/settings/to-policy.ts";
import { PasswordTurns } from "../../src/store/passwords/password-turns.ts";
import { createControlServer } from "../../src/surfaces/control-server.ts";
import { createKeeperServer } from "../../src/surfaces/keeper-server.ts";
import { enginePartsOn, SILENT } from "./engine-kit.ts";
import { afterEachOf, beforeEachOf } from "./hooks.ts";
import { loadValid } from "./loaded-settings.ts";
import { needsOf } from "./no-needs.ts";
import { patience } from "./patience.ts";
import { script } from "./script-world.ts";
import { committed } from "./test-database.ts";
import { upkeepOf } from "./upkeep-kit.ts";

/** The real engine with its commands, databases and control socket, but without mail servers and firewall. */

const TOML = 'domains = ["example.org"]\n';
const STOP_MS = 1_000;
const ROOT = join(import.meta.dirname, "..", "..");

const openedAt = instant(Date.UTC(2026, 0, 1));

/** One open alert, and two channels; one of them failed. */
const SAMPLE_ALERTS: CommandParts["alerts"] = {
  test: () =>
    Promise.resolve([
      { channel: "email", outcome: { ok: true } },
      { channel: "ntfy ntfy.example #0a1b2c", outcome: { ok: false, reason: "it answered 403" } },
    ]),
  book: {
    open: [{ code: "many_bans", subject: "", detail: "11 networks", openedAt, lastAt: openedAt, resolvedAt: null }],
    resolved: [],
  },
  channels: new Map([
    ["email", null],
    ["gotify g.example #1", "it answered 503"],
  ]),
  leadOut: false,
};

/** A data directory as set-up leaves it. */
export function dataDirectory(): Layout & Disposable {
  const layout = layoutOf(mkdtempSync(join(tmpdir(), "ghostinbox-cli-")));
  for (const file of [layout.engineDb, layout.accountsDb, layout.controlSocket, layout.keeperSocket])
    mkdirSync(dirname(file), { recursive: true });
  writeFileSync(layout.settings, TOML);
  return { ...layout, [Symbol.dispose]: () => rmSync(layout.data, { recursive: true, force: true }) };
}

/** A data directory that is new for each test of `file`, and ways to type commands. */
export function commandLineOf(file: string) {
  const layout: Layout & Disposable = { ...layoutOf("/nonexistent"), [Symbol.dispose]: () => undefined };
  beforeEachOf(file, () => Object.assign(layout, dataDirectory()));
  afterEachOf(file, () => layout[Symbol.dispose]());
  return { layout, ...typing(layout) };
}

/** Types commands on this data directory. */
function typing(layout: Layout) {
  const run = (line: string, input = "", variables: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    ghostinbox(layout, line.split(" "), input, variables);
  /** The output of a command that was done. */
  const does = async (...typed: Parameters<typeof run>): Promise<string> => {
    const { code, out, err } = await run(...typed);
    assert.equal(code, 0, err);
    return out;
  };
  /** A command that ends with this code, and with an error in one line. */
  const fails = async (line: string, says: RegExp, { code = 1, input = "" } = {}): Promise<void> =>
    assert.match(oneLineOfError(await run(line, input), code), says, line);
  return { run, does, fails };
}

/** A guard for all tests of the suite that calls this, with these accounts, and ways to type commands. */
export function guardOfSuite({ accounts = [] }: Readonly<{ accounts?: readonly string[] }> = {}) {
  const layout = dataDirectory();
  let guard: Awaited<ReturnType<typeof startGuard>> | undefined;
  const typist = typing(layout);
  before(async () => {
    guard = await startGuard(layout);
    for (const name of accounts) await typist.does(`account add ${name} --password-stdin`, `${PASSWORD}\n`);
  });
  after(async () => {
    await guard?.stop();
    layout[Symbol.dispose]();
  });
  return { layout, ...typist, guard: () => guard ?? assert.fail("the guard has not started") };
}

export async function startGuard(layout: Layout) {
  const clock = { now: () => instant(Date.now()) };
  const stores = composeStores(layout, clock, () => engine.commit());
  const { store } = stores;
  const feed = new CommitFeed();
  const notices = { set: () => undefined, list: () => [] };
  const asked: KeeperCommand[] = [];
  let pending: Results["pending"] = {
    changed: ["ports.login_policy"],
    inForce: ["2"],
    waiting: { "fail2ban.enabled": "false" },
  };
  let answer: (command: KeeperCommand) => KeeperReply | null = () => null;
  const keeper = {
    ask: (command: KeeperCommand): Promise<KeeperReply> => {
      asked.push(command);
      const answered = answer(command);
      if (answered !== null) return Promise.resolve(answered);
      if (command.verb !== "mailbox_use") return Promise.resolve({ ok: true, detail: "Postfix was reloaded." });
      return Promise.resolve({ ok: true, detail: "", mailbox: { usedBytes: 5 * 1024 ** 2, mails: 12 } });
    },
  };
  const engine = new Engine({
    ...enginePartsOn(stores.db),
    store,
    policy: toPolicy(loadValid(TOML).settings),
    own: { current: () => [] },
    recipients: { exists: () => true },
    networks: stores.networks,
    firstContacts: { isFirstContact: () => false, isExpected: () => false },
    notices,
    clock,
    committed: ({ lastEventId }) => feed.publish(lastEventId),
  });
  const health = {
    keeper,
    keeperSeen: { at: clock.now() },
    notices,
    clock,
    events: () => 0,
    needs: needsOf(SAMPLE_ALERTS.book.open),
  };
  const commands = createCommands({
    ...stores,
    engine,
    bansInForce: store,
    allowList: store,
    clock,
    alertsTo: () => [],
    lastSignIn: () => null,
    secrets: {
      make: () => Promise.reject(new Error("the command line hashes its passwords itself")),
      passwordHashOf: () => "",
    },
    mailboxes: () => ({ quotaBytes: 0, keyOfEach: false, maySignIn: true }),
    pauses: stores.correspondents,
    queue: new QueueUpkeep({ engine, keeper, ...stores, clock, log: SILENT }),
    contentLists: { refresh: () => undefined },
    keeper,
    upkeep: upkeepOf({ keeper, clock }),
    tokens: (asked) => stores.credentials.tokens(asked),
    hostname: () => "mail.example.org",
    mailPorts: () => ({ host: "mail.example.org", imapPort: 993, smtpPort: 465 }),
    names: () => ["mail.example.test"],
    passwords: new PasswordTurns(),
    health: () => healthOf({ ...health, startedAt: engine.startedAt, firewall: noEnforcement.status }),
    flushed: () => Promise.resolve(true),
    alerts: SAMPLE_ALERTS,
    settingsText: () => ({ ok: false, reason: "not available in tests" }),
    pending: () => ({ ok: true, ...pending }),
    reload: () => ({ ok: true, changed: ["limits.mail.per_minute", "ports.login_policy", "spam.enabled"] }),
    pid: process.pid,
  });
  const report = (code: string, detail: string): never => assert.fail(`${code}: ${detail}`);
  const control = createControlServer({ origin: "root", run: commands, subscribe: feed.subscribe.bind(feed), report });
  const keeperServer = createKeeperServer(keeper.ask, report);
  await Promise.all([control.start(layout.controlSocket, 0o600), keeperServer.start(layout.keeperSocket)]);
  return {
    engine,
    /** The commands that the keeper got. */
    asked,
    keeperAnswers: (given: typeof answer) => (answer = given),
    settingsWait: (given: typeof pending) => (pending = given),
    /** Writes these changes directly, as if the engine had decided them now. */
    write: (...changes: readonly Change[]): void => {
      engine.commit();
      committed(store, () => changes.forEach((change) => store.apply(change, clock.now())));
    },
    stop: async (): Promise<void> => {
      await Promise.all([control.stop(), keeperServer.stop(STOP_MS)]);
      stores.db.close();
      stores.accountsDb.close();
    },
  };
}

export type Finished = Readonly<{ code: number | null; out: string; err: string }>;

/** Starts a program of the checkout, `./ghostinbox` first of all. */
export function start(layout: Layout, program: string, args: readonly string[]) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, GHOSTINBOX_DATA: layout.data };
  const child = spawn(program, [...args], { cwd: ROOT, env, stdio: "pipe" });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
  /** Waits until it has printed this. */
  const printed = async (text: string): Promise<void> => {
    while (!(out + err).includes(text)) {
      const more = new Promise((resolve) => {
        child.stdout.once("data", resolve);
        child.stderr.once("data", resolve);
      });
      const over = await Promise.race([more.then(() => null), ended]);
      if (over !== null && !(over.out + over.err).includes(text))
        throw new Error(`ended without "${text}": ${err}${out}`);
    }
  };
  return { child, ended, printed };
}

/** Runs the command line as a separate process, from its arguments to its exit code. */
export async function ghostinboxProcess(layout: Layout, words: readonly string[], input = ""): Promise<Finished> {
  const { child, ended } = start(layout, "./ghostinbox", words);
  child.stdin.end(input);
  return ended;
}

/** The same in this process, which takes a tenth of the time. */
export async function ghostinbox(
  layout: Layout,
  words: readonly string[],
  input = "",
  variables: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const env = { PATH: process.env["PATH"], GHOSTINBOX_DATA: layout.data, ...variables };
  return script(words, { env, now: Date.now, connect, input });
}

/** The error, in one line and without a stack, of a command that ended with this code; there must be no output. */
export function oneLineOfError({ code, err, out }: Finished, expected = code): string {
  assert.deepEqual([code, out], [expected, ""], err);
  assert.match(err, /^[^\n]+\n$/);
  assert.doesNotMatch(err, /\bat .*\.ts:\d/);
  return err;
}

/** The result of a command that was done. */
export function json(finished: Finished): unknown {
  assert.equal(finished.code, 0, finished.err);
  return JSON.parse(finished.out);
}

export const PASSWORD = "correct horse battery";
export const TIMED = { timeout: patience(120_000) }; // a command that hangs fails its suite
