import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../test/kit/commands.ts";
import { commandsOf, commandsOnMemory, HASH, refusalOf } from "../../../test/kit/commands-kit.ts";
import type { Command } from "../../admin/declare/control.ts";
import { rightsOf } from "../../admin/declare/rights.ts";
import { wrongAddress } from "./refusals.ts";

const kit = commandsOf(import.meta.filename);

test("an invalid command is a usage error of one sentence, and changes nothing", async () => {
  const wrong: readonly Command[] = [
    { verb: "ban", target: "203.0.113.7", note: "", for: "0s" },
    { verb: "unban", target: "203.0.113.7/33" },
    { verb: "allow_add", target: "", note: "", for: null },
    { verb: "account_create_hashed", name: "alice@example.test", hash: "in the clear" },
    { ...COMMANDS.token_create, digest: "00" },
    { ...COMMANDS.token_create, scopes: ["read", "root"] },
    { ...COMMANDS.token_create, scopes: [] },
    { ...COMMANDS.token_create, for: "soon" },
    { verb: "admin_set_hash", hash: "in the clear" },
  ];
  for (const command of wrong)
    assert.match(await kit.said(command), /^usage [^\n]+\. [^\n]*$/, JSON.stringify(command));
  assert.equal(kit.rows(), 0);
});

test("cleanup removes only what has expired", async () => {
  await kit.ask({ verb: "ban", target: "203.0.113.7", note: "", for: "1s" });
  await kit.ask({ verb: "ban", target: "203.0.113.8", note: "", for: "1h" });
  kit.clock.advance(1_001);
  assert.deepEqual(await kit.ask({ verb: "cleanup" }), { ok: true, result: { expired: 1 } });
  assert.deepEqual(await kit.ask({ verb: "cleanup" }), { ok: true, result: { expired: 0 } });
  assert.deepEqual(kit.types(), ["BAN", "BAN", "BAN_EXPIRED"]);
});

test("a reload records which settings changed", async () => {
  const changed = ["limits.mail.per_minute", "spam.required_score"];
  kit.given.reloaded = { ok: true, changed };
  assert.deepEqual(await kit.result({ verb: "reload" }), { changed, recorded: true });
  kit.given.reloaded = { ok: true, changed: [] };
  await kit.ask({ verb: "reload" });
  assert.deepEqual(kit.details(), ["limits.mail.per_minute, spam.required_score by root", "nothing changed by root"]);
});

test("writes no list if nothing changed, as for a stranger's made-up token", async () => {
  const as = { as: "0f".repeat(32), ip: "203.0.113.7" };
  await kit.ask({ verb: "caller", isUse: true }, "web", as);
  await kit.ask({ verb: "unban", target: "203.0.113.7" }, "web", as);
  await kit.ask({ verb: "allow_list", limit: 50, cursor: null });
  await kit.ask(COMMANDS.break_glass, "web");
  assert.equal(kit.given.listsRefreshed, 0);
  await kit.ask({ verb: "reload" });
  assert.equal(kit.given.listsRefreshed, 1, "the domains may have changed");
});

test("a watcher starts at the last event", async () => {
  await kit.ask({ verb: "ban", target: "203.0.113.7", note: "", for: null });
  assert.deepEqual(await kit.ask({ verb: "watch" }), { ok: true, result: { lastEventId: kit.rows() } });
  assert.deepEqual(await kit.ask({ verb: "ping" }), { ok: true, result: { pid: 1 } });
});

test("the keeper is asked once, however many callers ask for the health at once", async (t) => {
  const { mock } = t.mock.method(kit.keeper, "ask");
  for (const round of [1, 2]) {
    await Promise.all(Array.from({ length: 128 }, () => kit.ask({ verb: "health" }, "web")));
    assert.equal(mock.callCount(), round);
  }
});

test("new settings and a new password of the dashboard are in force even if that could not be recorded", async () => {
  kit.fillDisk();
  assert.match(await kit.said({ verb: "admin_set_hash", hash: HASH }), /it was not recorded/);
  kit.clock.advance(2_000);
  assert.deepEqual(await kit.result({ verb: "reload" }), { changed: [], recorded: false });
});

test("a command whose change could not be flushed does not report success; reads still work", async () => {
  const ban: Command = { verb: "ban", target: "203.0.113.7", note: "", for: null };
  assert.ok((await kit.ask(ban)).ok);
  kit.given.diskWell = false;
  assert.match(refusalOf(await kit.ask({ ...ban, target: "203.0.113.8" })), /a power failure may undo it/);
  for (const verb of ["ping", "health", "reload"] as const) assert.ok((await kit.ask({ verb })).ok, verb);
  assert.ok((await kit.ask({ verb: "account_state", name: "anna@example.test" })).ok);
});

test("an unexpected failure is reported with its reason and where to look", async () => {
  kit.db.exec("DROP TABLE greylist_pause");
  const failed = await kit.said({ verb: "greylist_resume", recipient: "owner@example.test" });
  assert.match(failed, /^failed It could not be done: .+\. `status` shows what is wrong\.$/);
});

test("if health cannot be read, the reply points to the guard's log", async (t) => {
  t.mock.method(kit.notices, "list", () => assert.fail("no list"));
  assert.partialDeepStrictEqual(await kit.ask({ verb: "health" }), { next: "See its log below log/guard." });
});

test("each command of root is carried out, or refused in a sentence", async () => {
  for (const command of Object.values(COMMANDS).filter(({ verb }) => rightsOf(verb).from.includes("root"))) {
    const reply = await commandsOnMemory().ask(command);
    if (reply.ok) continue;
    assert.ok(reply.message.endsWith("."), `${command.verb}: ${reply.message}`);
    assert.doesNotMatch(reply.message, /^It could not be done/, command.verb);
  }
});

/** Commands about an account that need not exist, or whose samples are refused for their passwords first. */
const NEED_NONE = /^(account_(create|set)|held_|legal_hold)/;

test("a command about an impossible account name is wrong usage, one about a missing account fails, and neither changes anything", async () => {
  const before = kit.state();
  for (const command of Object.values(COMMANDS)) {
    // `account_state` accepts any text; the other two name a token and a passkey.
    if (!("name" in command) || /^(account_state|token|passkey)/.test(command.verb)) continue;
    const nonsense = await kit.said({ ...command, name: "nonsense" });
    assert.match(nonsense, /^usage The field "name" is not an account name/, command.verb);
    if (NEED_NONE.test(command.verb)) continue;
    assert.match(await kit.said({ ...command, name: "nobody@example.test" }), /^failed .*`account list`/, command.verb);
  }
  assert.equal(kit.state(), before);
});

test("an invalid address is shown, shortened and printable, with an example of a valid one", () => {
  const { kind, message, next } = wrongAddress(`\u001b[2J${"x".repeat(200)}`);
  assert.equal(kind, "usage");
  assert.ok(message.length < 120 && !message.includes("\u001b"), message);
  assert.match(next, /alice@example\.org/);
});
