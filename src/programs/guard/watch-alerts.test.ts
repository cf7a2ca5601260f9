import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { guess } from "../../../test/kit/engine-events.ts";
import { accountsOnMemory, engineOnMemory, SILENT } from "../../../test/kit/engine-kit.ts";
import { keeperOnSocket } from "../../../test/kit/keeper-on-socket.ts";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { patience } from "../../../test/kit/patience.ts";
import { accountName, ip, MAIL, mailAddress, WELL } from "../../../test/kit/samples.ts";
import { SECOND_MS } from "../../core/time.ts";
import { ResolverNames } from "../../mail/dns/resolver.ts";
import type { Settings } from "../../settings/schema.ts";
import { createAlertWatch } from "./watch-alerts.ts";

const TIMED = { timeout: patience(30_000) };
const MAILED = 'email = ["owner@elsewhere.example"]\n';

function settingsOf(alerts: string): Settings {
  return settingsWith(`[alerts]\n${alerts}`);
}

/** Alerts over a real database, sent through the keeper's real socket. */
async function watching(t: TestContext, alerts: string) {
  const { db, engine, store, clock, notices } = engineOnMemory();
  const stored = accountsOnMemory(db, clock);
  const { keeper, asked } = await keeperOnSocket();
  const accounts: string[] = [];
  const saved = { commits: 0 };
  const parts = {
    db,
    commit: () => engine.commit(),
    onCommit: () => (saved.commits += 1),
    health: () => Promise.resolve(WELL),
    notices,
    names: new ResolverNames("127.0.0.1"),
    keeper,
    recipients: { exists: (address: string) => address === "postmaster@example.org" && accounts.length > 0 },
    accountLists: stored.accountLists,
    clock,
    log: { ...SILENT, error: assert.fail },
  };
  const watch = createAlertWatch(parts, settingsOf(alerts));
  t.after(() => watch.stop());
  const mails = () => asked.flatMap((command) => (command.verb === "mail_alert" ? [command] : []));
  return { watch, parts, engine, store, stored, notices, mails, accounts, saved };
}

test("the keeper queues a notice once", TIMED, async (t) => {
  const { watch, notices, mails, saved } = await watching(t, MAILED);
  notices.set("greylist_silent", "no answer");
  watch.start();
  await t.waitFor(() => assert.equal(mails().length, 1), { timeout: patience(10_000) });
  assert.ok(saved.commits > 0, "and its saved state is flushed to the disk");
  assert.deepEqual([mails()[0]?.kind, mails()[0]?.severity !== undefined], ["opened", true]);
  await watch.alerts.round();
  assert.equal(mails().length, 1);
});

test("an alert is sent while the accounts cannot be read", TIMED, async (t) => {
  const { watch, parts, notices, mails } = await watching(t, "");
  parts.recipients.exists = () => assert.fail("database disk image is malformed");
  notices.set("accounts_uncopied", "it is damaged");
  watch.start();
  await t.waitFor(() => assert.equal(mails().length, 1), { timeout: patience(10_000) });
});

test("an event that reuses the id of a lost one is not skipped", TIMED, async (t) => {
  const { watch, parts, engine, store } = await watching(t, MAILED);
  // Enough that some are written before the commit.
  const lost = Array.from({ length: 50 }, () => engine.ask({ type: "CONNECT", ...MAIL }));
  store.failing = "commit";
  await watch.alerts.round();
  await Promise.all(lost);
  store.failing = null;
  parts.clock.advance(2 * SECOND_MS);
  assert.ok(await engine.audit({ type: "COMMAND_REFUSED", subject: "account_create_hashed", by: "web" }));
  await watch.alerts.round();
  assert.ok(watch.alerts.book.open.some(({ code }) => code === "web_overreach"));
});

test("channels and limits follow the settings", async (t) => {
  const { watch } = await watching(t, "");
  assert.deepEqual([[...watch.alerts.channels.keys()], watch.alerts.leadOut], [["email"], false]);
  watch.configure(settingsOf(MAILED));
  assert.deepEqual([[...watch.alerts.channels.keys()], watch.alerts.leadOut], [["email"], false]);
  watch.configure(settingsOf(`${MAILED}heartbeat = "https://watcher.example/1"`));
  assert.equal(watch.alerts.leadOut, true);
  watch.configure(settingsOf('ntfy = ["https://ntfy.example/topic"]'));
  assert.equal([...watch.alerts.channels.keys()].includes("email"), false);
});

test("by default the administrator gets the alerts, as soon as there is one", TIMED, async (t) => {
  const { watch, mails, accounts } = await watching(t, "");
  const [before] = await watch.alerts.test();
  const reason = "postmaster@example.org reaches no one before the first account is added.";
  assert.deepEqual(before?.outcome, { ok: false, reason, waits: true });
  accounts.push("anna@example.org");
  const [after] = await watch.alerts.test();
  assert.deepEqual([after?.outcome.ok, mails().length], [true, 1]);
});

test("an alert names an account before its first sign-in, but no alias and no stranger's text", TIMED, async (t) => {
  const { watch, parts, engine, stored } = await watching(t, MAILED);
  const anna = accountName("anna@example.org");
  stored.accounts.add(anna, "{PLAIN}x", parts.clock.now());
  stored.accounts.addAlias(mailAddress("info@example.org"), [anna]);
  assert.ok(stored.recipients.exists("info@example.org"));
  engine.setPolicy({ ...engine.policy, accounts: { ...engine.policy.accounts, failures: 1, candidates: 0 } });
  const logins = ["Anna@example.org", "anna+unlock.evil.example@example.org", "info@example.org", "evil.example"];
  for (const [i, login] of logins.entries()) {
    await engine.ask({ ...guess("a", ip(`203.0.113.${i}`)), login });
    const asked = await engine.ask({ ...guess("b", ip(`192.0.2.${i}`)), type: "LOGIN_ASKED", login });
    assert.equal(asked.reason, "account_guarded", login);
  }
  parts.clock.advance(2 * SECOND_MS);
  await watch.alerts.round();
  const guarded = watch.alerts.book.open.filter(({ code }) => code === "account_guarded");
  assert.deepEqual(guarded.map(({ subject }) => subject).toSorted(), ["", anna]);
});
