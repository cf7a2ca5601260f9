import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { commandsOf, HASH, hashOf, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { beforeEachOf } from "../../../../test/kit/hooks.ts";
import { accountName, ip } from "../../../../test/kit/samples.ts";
import type { Command } from "../../../admin/declare/control.ts";
import { rightsOf } from "../../../admin/declare/rights.ts";
import { PROOF_MS } from "../../../core/access/session.ts";
import { parseAccountName } from "../../../core/net/address.ts";
import { digestOf } from "../../access/secrets.ts";
import { CHANGES_AN_HOUR, COSTLY_AN_HOUR, JUDGED_AN_HOUR } from "./user-bounds.ts";

const ANNA = accountName("anna@example.test");
const BERT = "bert@example.test";
const AS = { as: "5e".repeat(32), ip: "203.0.113.9" };

const kit = commandsOf(import.meta.filename, ANNA, BERT);
const signIn = (): void => kit.signIn(AS, ANNA);
beforeEachOf(import.meta.filename, signIn);

const audited = () => Number(kit.db.prepare("SELECT count(*) AS n FROM audit_entry").get()?.["n"]);

const mine = () => kit.result({ verb: "my_mailbox" }, "web", AS);

test("users see their own mailbox, and no other account", async () => {
  const use = { quotaBytes: 5_000, usedBytes: 1_200, mails: 3 };
  const unset = { aliases: [], networks: [], guarded: false, greylistPausedUntil: null, passwordOnServer: false };
  assert.deepEqual(await mine(), { account: ANNA, ...use, ...unset });
  await kit.result({ verb: "alias_add", address: "info@example.test", targets: [ANNA, BERT] });
  await kit.result({ verb: "alias_add", address: "sales@example.test", targets: [BERT] });
  await kit.result({ verb: "alias_add", address: "closed@example.test", targets: [ANNA] });
  await kit.result({ verb: "alias_block", address: "closed@example.test", blocked: true });
  await kit.result({ verb: "networks_add", name: ANNA, networks: ["203.0.113.0/24"] });
  signIn();
  await kit.result({ verb: "networks_add", name: BERT, networks: ["198.51.100.0/24"] });
  await kit.result({ verb: "quota_set", name: ANNA, quotaBytes: 7_000 });
  const seen = await mine();
  const own = [seen.quotaBytes, seen.aliases, seen.networks];
  assert.deepEqual(own, [7_000, ["info@example.test"], ["203.0.113.0/24"]]);
  assert.doesNotMatch(JSON.stringify(seen), /bert|198\.51/);
});

const asked = (): number => kit.kept().filter((verb) => verb === "mailbox_use").length;

test("the keeper is asked for the mailbox's use at most 30 times a minute", async () => {
  for (let n = 0; n < 70; n++) await mine();
  assert.equal(asked(), 30);
  kit.clock.advance(60_000);
  await mine();
  assert.equal(asked(), 31);
});

test("few users wait for the keeper at once, so that the guard's other requests find a connection", async () => {
  await Promise.all(Array.from({ length: 10 }, mine));
  assert.equal(asked(), 4);
  await Promise.all(Array.from({ length: 10 }, mine));
  assert.equal(asked(), 8);
});

test("users see that strangers guess their password", async () => {
  const guess = { type: "LOGIN_FAILED", service: "imap", login: ANNA } as const;
  for (let i = 0; i < kit.engine.policy.accounts.failures; i++)
    await kit.engine.ask({ ...guess, passwordHash: `w${i}`, ip: ip(`198.51.${i}.7`) });
  assert.equal((await mine()).guarded, true);
});

test("users create app passwords, forwards and replies for their own mailbox", async () => {
  const ask = <C extends Command>(command: C) => kit.ask(command, "web", AS);
  const made = await ask({ verb: "app_password_add", name: ANNA, app: "phone" });
  assert.ok(made.ok && made.result.name === ANNA);
  assert.ok((await ask({ verb: "forward_set", name: ANNA, to: ["anna@else.example"], keep: false })).ok);
  const forwarding = { to: ["anna@else.example"], keep: false };
  assert.deepEqual(await ask({ verb: "forwarding", name: ANNA }), { ok: true, result: forwarding });
  const listed = await ask({ verb: "app_passwords", name: ANNA });
  assert.match(JSON.stringify(listed), /"id":"phone"(?!.*madeBy)/, "not who made it");
  assert.deepEqual([kit.appPasswordsOf(BERT), kit.forwardingOf(BERT)], [[], null]);
  const last = String(kit.details().at(-1));
  assert.match(last, /^anna@example\.test to anna@else\.example, .* by mailbox:anna@example\.test via 203/);
  const vacation = { subject: "", text: "I am away.", until: null };
  assert.ok((await ask({ verb: "vacation_set", name: ANNA, ...vacation })).ok);
  assert.deepEqual(await ask({ verb: "vacation", name: ANNA }), { ok: true, result: { vacation } });
  assert.deepEqual(kit.vacationOf(BERT), null);
  assert.ok((await ask({ verb: "app_password_remove", name: ANNA, app: "phone" })).ok);
  assert.deepEqual(kit.appPasswordsOf(ANNA), []);
});

test("every dry run of a user is refused", async () => {
  const forward = { verb: "forward_set", name: ANNA, to: [BERT], keep: true } as const;
  assert.match(await kit.said(forward, "web", { ...AS, isDry: true }), /^usage /);
});

test("refusals for users mention neither the command line nor why the keeper does not answer", async () => {
  const app = { verb: "app_password_add", name: ANNA, app: "phone" } as const;
  assert.ok((await kit.ask(app, "web", AS)).ok);
  assert.match(await kit.said(app, "web", AS), /^failed .*already.* Your page My mailbox shows them\.$/);
  const forward = { verb: "forward_set", name: ANNA, to: [ANNA], keep: true } as const;
  assert.match(await kit.said(forward, "web", AS), /gets a copy unless you keep none.* Give another address\.$/);
  kit.given.keeperUp = false;
  const says = `failed ${ANNA} is changed, but its open sessions were not ended. Ask the administrator of this server to end them.`;
  assert.equal(await kit.said({ ...app, verb: "app_password_remove" }, "web", AS), says);
});

test("a user may make 60 changes an hour and 300 a day, which takes nothing from other users", async () => {
  const end = () => kit.ask({ verb: "my_sessions_end" }, "web", AS);
  for (let hour = 0; hour < 5; hour++) {
    for (let n = 0; n < CHANGES_AN_HOUR; n++) assert.ok((await end()).ok);
    const before = kit.given.listsRefreshed;
    assert.match(refusalOf(await end()), /60 changes within an hour/);
    assert.equal(kit.given.listsRefreshed, before, "a refused change is not followed by its effects");
    kit.clock.advance(3_600_000);
  }
  assert.match(refusalOf(await end()), /300 changes within a day/);
});

test("all users together may set 600 passwords, forwards and replies an hour, which does not limit the owner", async () => {
  const forward = { verb: "forward_set", to: ["anna@else.example"], keep: true } as const;
  const users = Array.from({ length: COSTLY_AN_HOUR / CHANGES_AN_HOUR + 1 }, (_, n) => {
    const as = { as: String(n).padStart(64, "0"), ip: AS.ip };
    const account = accountName(`u${n}@example.test`);
    return { account, ask: (command: Command) => kit.ask(command, "web", as), as };
  });
  for (const { account: name, as } of users) {
    await kit.result({ verb: "account_create_hashed", name, hash: HASH });
    kit.signIn(as, name);
  }
  for (const { ask, account: name } of users.slice(1))
    for (let n = 0; n < CHANGES_AN_HOUR; n++) assert.ok((await ask({ ...forward, name })).ok);
  const late = users[0] ?? assert.fail();
  const name = late.account;
  const reply = { verb: "vacation_set", name, subject: "", text: "Away.", until: null } as const;
  const says = /600 passwords, app passwords, forwards and replies within an hour/;
  for (const command of [{ ...forward, name }, reply, { verb: "app_password_add", name, app: "phone" }] as const)
    assert.match(refusalOf(await late.ask(command)), says);
  const judged = kit.ask({ verb: "my_password", password: "quite new words" }, "web", { ...late.as, isDry: true });
  assert.match(refusalOf(await judged), /600 passwords/);
  assert.ok((await late.ask({ verb: "forward_set", name, to: [], keep: true })).ok, "removes a forward");
  assert.ok((await late.ask({ ...reply, text: null })).ok, "removes a reply");
  assert.ok((await late.ask({ verb: "my_sessions_end" })).ok);
  await kit.result({ verb: "forward_set", name, to: ["anna@else.example"], keep: true });
  assert.equal(kit.forwardingOf(name)?.keep, true, "the owner sets one");
  kit.clock.advance(3_600_000);
  kit.sessions.prove(digestOf(late.as.as), kit.clock.now());
  assert.ok((await late.ask({ ...forward, name })).ok);
});

test("a user's refused requests take nothing from other users", async () => {
  const ask = (command: Command) => kit.ask(command, "web", AS);
  const forward = { verb: "forward_set", name: ANNA, to: ["anna@else.example"], keep: true } as const;
  for (let n = 0; n < COSTLY_AN_HOUR + CHANGES_AN_HOUR; n++) await ask(forward);
  const bert = { as: "6e".repeat(32), ip: AS.ip };
  kit.signIn(bert, parseAccountName(BERT));
  assert.ok((await kit.ask({ ...forward, name: BERT }, "web", bert)).ok);
});

test("shows mail programs the server's name and ports, and counts mail to each alias as the user's", async () => {
  const ask = (verb: "my_client" | "my_addresses") => kit.result({ verb }, "web", AS);
  assert.deepEqual(await ask("my_client"), { account: ANNA, host: "mail.example.test", imapPort: 993, smtpPort: 465 });
  await kit.result({ verb: "alias_add", address: "info@example.test", targets: [ANNA, BERT] });
  assert.partialDeepStrictEqual(await ask("my_addresses"), { account: ANNA, addresses: [ANNA, "info@example.test"] });
});

test("before a new password is judged, the guard says whether it may be set: only with a proof, and at most 30 times an hour", async () => {
  const tries = async (password = "quite new words") =>
    kit.ask({ verb: "my_password", password }, "web", { ...AS, isDry: true });
  assert.match(refusalOf(await tries("short")), /too short/);
  for (let i = 1; i < JUDGED_AN_HOUR; i++) assert.ok((await tries()).ok, `${i}`);
  for (let i = 0; i < CHANGES_AN_HOUR; i++) assert.match(refusalOf(await tries()), /30 new passwords within an hour/);
  await kit.result({ verb: "my_sessions_end" }, "web", AS);
  kit.clock.advance(PROOF_MS);
  assert.partialDeepStrictEqual(await tries(), { ok: false, denied: "proof_needed" });
});

test("the proofs of a mailbox's user add nothing to the audit", async () => {
  await kit.result({ verb: "account_set_hash", name: ANNA, hash: hashOf("right") });
  signIn();
  const before = audited();
  const outcome = async (password: string) => (await kit.result({ verb: "prove", password }, "web", AS)).outcome;
  for (let n = 0; n < 300; n++) {
    assert.equal(await outcome("right"), "proved");
    if (n % 20 === 19) kit.clock.advance(60_000);
  }
  assert.equal(await outcome("wrong"), "wrong");
  assert.equal(audited(), before);
});

test("one session that does everything it can at full speed for a day adds few entries to the audit", async () => {
  const before = audited();
  const refused = Object.values(COMMANDS).filter(({ verb }) => {
    const { from, needs } = rightsOf(verb);
    return from.includes("web") && !["nothing", "caller", "mailbox"].includes(needs);
  });
  const again = (): void => {
    kit.sessions.end("everybody");
    signIn();
  };
  for (let hour = 0; hour < 24; hour++) {
    again();
    for (let n = 0; n < 70; n++) {
      await kit.ask({ verb: "greylist_resume", recipient: ANNA }, "web", AS);
      await kit.ask({ verb: "spam_allow_add", account: ANNA, sender: `${hour}.${n}@else.example` }, "web", AS);
    }
    for (const command of refused) {
      await kit.ask(command, "web", AS);
      again();
    }
    await kit.ask({ verb: "sign_out" }, "web", AS);
    kit.clock.advance(3_600_000);
  }
  const added = audited() - before;
  assert.ok(added > 0 && added <= 400, `${added} entries`);
});
