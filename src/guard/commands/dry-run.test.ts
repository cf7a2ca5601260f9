import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMMANDS } from "../../../test/kit/commands.ts";
import { commandsOf, HASH, OWNER, refusalOf } from "../../../test/kit/commands-kit.ts";
import { DRY_VERBS } from "../../../test/kit/dry-verbs.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { BY, webGateOnMemory } from "../../../test/kit/web-gate-kit.ts";
import type { Command } from "../../admin/declare/control.ts";
import { PROOF_MS } from "../../core/access/session.ts";
import { WEB_LIMITS } from "./web/web-bounds.ts";

const BAN: Command = { verb: "ban", target: "203.0.113.7", note: "it scanned us", for: "2h" };
const ALLOW: Command = { verb: "allow_add", target: "203.0.113.0/24", note: "", for: null };
const TOKEN: Command = { verb: "token_create", name: "ci", digest: "ab".repeat(32), scopes: ["read"], for: null };

const name = "anna@example.test";
const ANNA: Command = { verb: "account_create_hashed", name, hash: HASH };
const IMPORT: Command = {
  verb: "accounts_import",
  entries: [
    { name, password: "quite some words" },
    { name: "bert@example.test", hash: HASH },
    { name: "nobody@elsewhere.test", hash: HASH },
  ],
};
const ALIAS: Command = { verb: "alias_add", address: "info@example.test", targets: [name] };
const NETWORKS = { verb: "networks_add", name, networks: ["203.0.113.0/24"] } as const;

const APP = { verb: "app_password_add", name, app: "phone" } as const;
const FORWARD = { verb: "forward_set", name, to: ["anna@elsewhere.test"], keep: true } as const;
const AWAY = { verb: "vacation_set", name, subject: "", text: "I am away.", until: null } as const;

const PAUSE = { verb: "greylist_pause", recipient: "owner@example.test", for: "15m" } as const;
const LET_IN = { verb: "spam_allow_add", account: name, sender: "*@friend.example" } as const;

/** Commands with separate tests; those on the queue are in dry-run-queue.test.ts. */
const SEPARATE = /^(queue|held)_|^session_end$|^app_password_add$/;

/** A command, and those that must run before it can succeed. */
type Run = Readonly<{ command: Command; after: readonly Command[] }>;

const LISTED: readonly Run[] = [
  { command: BAN, after: [] },
  { command: { verb: "unban", target: "203.0.113.7" }, after: [BAN] },
  { command: ALLOW, after: [BAN] },
  { command: { verb: "allow_remove", target: "203.0.113.0/24" }, after: [ALLOW] },
  { command: TOKEN, after: [] },
  { command: { verb: "token_revoke", name: "ci" }, after: [TOKEN] },
  { command: { verb: "session_end_all" }, after: [] },
  { command: { verb: "account_create", name, password: "quite some words" }, after: [] },
  { command: { verb: "account_set_password", name, password: "quite some words" }, after: [ANNA] },
  { command: IMPORT, after: [] },
  { command: { verb: "account_resume", name }, after: [ANNA, { verb: "account_suspend", name }] },
  { command: ALIAS, after: [ANNA] },
  { command: { verb: "alias_remove", address: "info@example.test" }, after: [ANNA, ALIAS] },
  { command: { verb: "alias_block", address: "info@example.test", blocked: true }, after: [ANNA, ALIAS] },
  { command: { ...NETWORKS, verb: "networks_remove" }, after: [ANNA, NETWORKS] },
  { command: { ...APP, verb: "app_password_remove" }, after: [ANNA, APP] },
  { command: PAUSE, after: [] },
  { command: { verb: "greylist_resume", recipient: PAUSE.recipient }, after: [PAUSE] },
  { command: LET_IN, after: [ANNA] },
  { command: { ...LET_IN, verb: "spam_allow_remove" }, after: [ANNA, LET_IN] },
];
/** Commands that are not listed above concern an account. */
const DRY_RUNS: readonly Run[] = DRY_VERBS.filter((verb) => !SEPARATE.test(verb)).map(
  (verb) =>
    LISTED.find(({ command }) => command.verb === verb) ?? { command: { ...COMMANDS[verb], name }, after: [ANNA] },
);

const NO_MAIL = { ids: [], account: null, sender: null, recipient: null, cursor: null } as const;

const kit = commandsOf(import.meta.filename);
const web = (command: Command) => kit.ask(command, "web", OWNER);
beforeEachOf(import.meta.filename, () => kit.signIn(OWNER));

describe("a dry run", () => {
  for (const { command, after } of DRY_RUNS)
    test(`of ${command.verb} answers as the command does, but changes and records nothing`, async () => {
      for (const each of after) assert.ok((await kit.ask(each)).ok, each.verb);
      const before = kit.state();
      const tried = await kit.dryRun(command);
      assert.equal(kit.state(), before);
      assert.deepEqual(await kit.dryRun(command), tried, "again");
      assert.deepEqual(await web(command), tried);
      assert.notEqual(kit.state(), before, "the real command changes something");
    });

  for (const [what, command] of [
    ["a protected address", { verb: "ban", target: "203.0.113.1", note: "", for: null }],
    ["an address without a ban", { verb: "unban", target: "203.0.113.9" }],
    ["an invalid network", { verb: "ban", target: "nobody", note: "", for: null }],
    ["a network that is not on the list", { verb: "allow_remove", target: "203.0.113.9" }],
    ["an alias that leads nowhere", { ...ALIAS, targets: ["nobody@example.test"] }],
    ["a missing account", { ...NETWORKS, name: "nobody@example.test" }],
    ["a missing token", { verb: "token_revoke", name: "nobody" }],
    ["a missing session", { verb: "session_end", id: "0123456789ab" }],
    ["a password that is too simple", { verb: "account_create", name, password: "short" }],
    ["the password of a missing account", { verb: "account_set_password", name, password: "quite some words" }],
    ["a missing app password", { ...APP, verb: "app_password_remove" }],
    ["a forward that comes back", { ...FORWARD, to: [name] }],
    ["a reply without a text", { ...AWAY, text: " " }],
    ["a missing pause", { verb: "greylist_resume", recipient: "owner@example.test" }],
    ["a pause for a missing account", { verb: "greylist_pause", recipient: "nobody@example.test", for: null }],
    ["an invalid sender", { verb: "spam_allow_add", account: name, sender: "everybody" }],
    ["an account that is not held", { verb: "held_release", name }],
    ["missing mail", { verb: "queue_flush", ...NO_MAIL, isAll: true }],
  ] as const)
    test(`of ${what} is refused as the command is`, async () => {
      const before = kit.state();
      const tried = await kit.dryRun(command);
      assert.equal(tried.ok, false);
      assert.equal(kit.state(), before);
      assert.deepEqual(await web(command), tried);
    });

  test("of an app password shows no password, since none is stored", async () => {
    assert.ok((await kit.ask(ANNA)).ok);
    const before = kit.state();
    assert.deepEqual(await kit.dryRun(APP), { ok: true, result: { name, app: "phone", password: "" } });
    assert.equal(kit.state(), before);
    const made = await kit.ask(APP);
    assert.ok(made.ok && made.result.password.length > 20);
    const again = await kit.dryRun(APP);
    assert.deepEqual(again, await web(APP));
    assert.equal(again.ok, false);
  });

  test("is refused for a command that has none, and to root; the command is not carried out", async () => {
    for (const tried of [kit.dryRun({ verb: "alerts_test" }), kit.ask(BAN, "root", { isDry: true })])
      assert.match(refusalOf(await tried), /cannot be tried/);
    assert.deepEqual(kit.types(), []);
  });
});

/** Changes that are made even without a record, because they take rights away, or only let mail pass. */
const MADE_ANYWAY = /^(token_revoke|session_end_all|account_suspend|greylist_(pause|resume)|spam_allow_(add|remove))$/;

const KEYS = [{ id: "00ff", publicKey: "cA==", locked: "bA==", recoverable: "cg==" }];
const CHANGED = { name, hash: `${HASH}1` };
const ADDED = { name: "bert@example.test", hash: HASH };
/** Changes that have no dry run, or a separate test for it. */
const OTHERS: readonly Run[] = [
  { command: APP, after: [ANNA] },
  { command: ANNA, after: [] },
  { command: { verb: "account_set_hash", ...CHANGED }, after: [ANNA] },
  { command: { verb: "mail_keys_recover", name, hash: HASH, keys: KEYS }, after: [ANNA] },
  { command: { verb: "accounts_import_hashed", entries: [ADDED] }, after: [ANNA] },
  {
    command: { verb: "accounts_follow", entries: [CHANGED, ADDED], gone: [] },
    after: [{ verb: "accounts_follow", entries: [{ name, hash: HASH }], gone: [] }],
  },
];

describe("without a record", () => {
  /** Every row of the databases, and how often sessions were ended, except for a removal, which ends them first. */
  const effects = ({ verb: tried }: Command) =>
    `${kit.state()} ${tried === "account_remove" || kit.kept().filter((verb) => verb === "kick_account").length}`;
  for (const { command, after } of [...DRY_RUNS, ...OTHERS]) {
    const isMade = MADE_ANYWAY.test(command.verb);
    test(`${command.verb} fails, and ${isMade ? "is made anyway" : "changes nothing"}`, async () => {
      for (const each of after) assert.ok((await kit.ask(each)).ok, each.verb);
      kit.fillDisk();
      const before = effects(command);
      assert.match(await kit.said(command), isMade ? /it was not recorded/ : /^failed .*could not be written/);
      assert.equal(effects(command) !== before, isMade);
    });
  }
});

describe("a dry run that the web asks for", () => {
  const DRY = { as: "5e".repeat(32), ip: "203.0.113.9", isDry: true };

  test("needs the same rights, and a denial is not recorded", async () => {
    const kit = webGateOnMemory();
    kit.clock.advance(PROOF_MS);
    assert.partialDeepStrictEqual(kit.admit(TOKEN, DRY), { error: { denied: "proof_needed" } });
    const stranger = kit.admit(BAN, { ...DRY, as: "0".repeat(64) });
    assert.partialDeepStrictEqual(stranger, { error: { denied: "unauthorized" } });
    assert.deepEqual(kit.denied(), []);
  });

  test("does not count, and is refused if the command would be", async () => {
    const kit = webGateOnMemory();
    for (let i = 0; i < WEB_LIMITS.bans + 5; i++) assert.ok("by" in kit.admit(BAN, DRY));
    for (let i = 0; i < WEB_LIMITS.bans; i++) assert.equal(await kit.ask(BAN), null);
    assert.ok("error" in kit.admit(BAN, DRY));
    assert.deepEqual(kit.refused(), []);
    assert.equal((await kit.ask(BAN))?.ok, false);
    assert.deepEqual(kit.refused(), [`ban by ${BY}`]);
  });

  test("counts if it reads the queue or a file of accounts", () => {
    const kit = webGateOnMemory();
    const isTaken = (command: Command) => "by" in kit.admit(command, DRY);
    const costly = [COMMANDS.held_drop, COMMANDS.account_suspend, IMPORT];
    for (let i = 0; i < WEB_LIMITS.dryRuns; i++) assert.ok(isTaken(costly[i % 3] ?? IMPORT));
    assert.deepEqual(costly.map(isTaken), [false, false, false]);
    assert.ok(isTaken(BAN));
  });
});
