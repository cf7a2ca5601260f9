// Invariant: Alerts never delay anything, depend only on the database, and are neither repeated nor lost over a restart.
import assert from "node:assert/strict";
import { type DatabaseSync, StatementSync } from "node:sqlite";
import { test } from "node:test";
import { SETTINGS } from "../../../test/kit/alerts-kit.ts";
import { guess } from "../../../test/kit/engine-events.ts";
import { engineOnMemory, SILENT } from "../../../test/kit/engine-kit.ts";
import { DELIVERED, ip, net } from "../../../test/kit/samples.ts";
import { columnOf, scalarOf } from "../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { Alerts } from "../../guard/alerts/alerts.ts";
import { watchComponents } from "../../guard/alerts/health-watch.ts";
import type { AlertMessage } from "../../guard/alerts/ports.ts";
import { sqliteAlertEvents, sqliteAlertStore } from "./alerts.ts";

const ANNA = "anna@example.test";

const succeeded = (from: string, login = ANNA, passwordHash = "") =>
  ({ type: "LOGIN_SUCCEEDED", ip: ip(from), service: "imap", login, passwordHash }) as const;

test("a condition and its end are each reported once, even across restarts", async () => {
  const { fail, seconds, restart, clock } = alertsOnDatabase();
  for (const password of ["a", "b", "c"]) await fail(password);
  assert.deepEqual(await seconds(2), ["opened failed_logins"]);
  await fail("a");
  assert.deepEqual(await seconds(5), [], "more of the same is the same alert");
  restart();
  assert.deepEqual(await seconds(5), []);
  clock.advance(HOUR_MS);
  restart();
  assert.deepEqual(await seconds(100), ["resolved failed_logins"]);
  restart();
  assert.deepEqual(await seconds(90), []);
});

test("an alias that was added through the web is reported with its targets", async () => {
  const { engine, seconds, db } = alertsOnDatabase();
  const by = "web:admin via 203.0.113.9";
  const targets = ["thief@evil.test", "anna@example.test"];
  await engine.audit({ type: "ALIAS_ADDED", subject: "info@example.test", targets, by });
  assert.equal((await seconds(2)).length, 1);
  const details = columnOf(db, "SELECT detail FROM alert");
  assert.deepEqual(details, [`the alias was added: info@example.test to ${targets.join(", ")}, by ${by}`]);
});

test("an alert that was not delivered before a restart is delivered after it, under the same id", async () => {
  const { notices, seconds, restart, reach, db } = alertsOnDatabase();
  reach(false);
  notices.set("disk_nearly_full", "12 MB are left");
  assert.deepEqual(await seconds(3), []);
  const id = scalarOf(db, "SELECT id FROM alert_message");
  reach(true);
  restart();
  assert.deepEqual(await seconds(10), ["opened disk_nearly_full"]);
  assert.match(String(id), /^msg_[0-9a-f]{32}$/);
  assert.equal(scalarOf(db, "SELECT count(*) FROM alert_message"), 0);
});

test("a refusal by a guarded account is reported for the account, and one of its right password separately", async () => {
  const { engine, seconds, fail } = alertsOnDatabase();
  await engine.ask(succeeded("198.51.100.7", ANNA, "right"));
  await fail("a");
  engine.setPolicy({ ...engine.policy, accounts: { ...engine.policy.accounts, failures: 1, candidates: 0 } });
  for (const password of ["b", "right"])
    await engine.ask({ ...succeeded("192.0.2.9", ANNA, password), type: "LOGIN_ASKED" });
  const opened = ["account_guarded", "right_password_refused"].map((code) => `opened ${code} ${ANNA}`);
  assert.deepEqual((await seconds(5)).toSorted(), [...opened, "opened failed_logins"].toSorted());
});

test("lost mail is reported under its alias, or else under its recipient", async () => {
  const { engine, seconds } = alertsOnDatabase();
  const lost = { ...DELIVERED, outcome: "bounced", recipient: "person@elsewhere.test" } as const;
  const mails = [
    { ...lost, alias: "info@example.test" },
    { ...lost, relay: "lmtp dovecot", recipient: ANNA },
  ];
  assert.ok(await engine.observe("mail.log", { inode: "1", offset: 9 }, mails));
  assert.deepEqual(await seconds(2), ["opened mail_undelivered info@example.test", `opened mail_undelivered ${ANNA}`]);
});

test("a repeated password does not count, even from an address on the allow list", async () => {
  const { engine, events } = alertsOnDatabase();
  const allowed = { type: "ALLOW", prefix: net("198.51.100.0/24"), note: "", by: "root", expiresAt: null } as const;
  assert.ok(await engine.audit(null, [allowed]));
  for (const [from, reason, expected] of [
    ["203.0.113.9", "below_limit", true],
    ["203.0.113.9", "repeated_password", false],
    ["198.51.100.9", "allow_listed", true],
    ["198.51.100.9", "allow_listed", false],
  ] as const) {
    await engine.ask({ ...succeeded(from, ANNA, "wrong"), type: "LOGIN_FAILED" });
    const last = events().at(-1);
    assert.deepEqual([last?.reason, last?.isCounted], [reason, expected]);
  }
});

test("an account is known once it has signed in, in any letter case", async () => {
  const { engine, events, fail } = alertsOnDatabase();
  await fail("a");
  const known = () => events().map(({ isKnownAccount }) => isKnownAccount);
  assert.deepEqual(known(), [false]);
  await engine.ask(succeeded("203.0.113.201", "Anna@example.test"));
  assert.equal(known()[0], true);
});

test("a sign-in is new if its network is, and the first if it is its account's first", async () => {
  const { engine, events, clock } = alertsOnDatabase();
  const succeed = async (from: string, login = ANNA): Promise<string> => {
    clock.advance(1_000);
    await engine.ask(succeeded(from, login));
    const { isNewPlace, isNewNetwork, isFirst } = events().at(-1) ?? assert.fail();
    return [isNewPlace && "place", isNewNetwork && "network", isFirst && "first"].filter(Boolean).join(" ");
  };
  assert.equal(await succeed("203.0.113.200"), "place network first");
  assert.equal(await succeed("203.0.113.200"), "");
  assert.equal(await succeed("203.0.113.201", "Anna@example.test"), "place");
  assert.equal(await succeed("2001:db8:1:2::3"), "place network");
  assert.equal(await succeed("2001:db8:1:3::3"), "place");
  assert.equal(await succeed("2001:db8:1:3::3", "bert@example.test"), "place network first");
  const split = net("2001:db8:1:3::9/128");
  assert.ok(await engine.audit(null, [{ type: "ALLOW", prefix: split, note: "", by: "root", expiresAt: null }]));
  assert.equal(await succeed("2001:db8:1:3::4"), "", "known before the network was split");
});

test("a sign-in of the administrator, or one that fails, is new if none came from its address before", async () => {
  const { engine, events, clock, signIn } = alertsOnDatabase();
  const isNew = async (from: string, fails: boolean): Promise<boolean> => {
    clock.advance(1_000);
    if (!fails) await signIn(from);
    else await engine.ask({ ...succeeded(from, "admin"), type: "LOGIN_FAILED", service: "dashboard" });
    return events().at(-1)?.isNewPlace ?? assert.fail();
  };
  assert.equal(await isNew("203.0.113.7", true), true);
  assert.equal(await isNew("203.0.113.7", false), true);
  for (const fails of [true, false]) assert.equal(await isNew("203.0.113.7", fails), false);
  for (const from of ["203.0.113.8", "127.0.0.1", "127.0.0.1"]) {
    assert.equal(await isNew(from, true), true);
    assert.equal(await isNew(from, false), true);
  }
  for (const [from, expected] of [
    ["2001:db8:1:2::3", true],
    ["2001:db8:1:2::4", false],
    ["2001:db8:1:3::3", true],
  ] as const)
    assert.equal(await isNew(from, false), expected);
});

test("a channel that fails becomes an alert itself", async () => {
  const { notices, seconds, reach } = alertsOnDatabase();
  reach(false);
  notices.set("greylist_silent", "");
  await seconds(20);
  assert.equal(notices.raised.get("alerts_undelivered"), "channel: no one there");
  reach(true);
  assert.deepEqual((await seconds(40)).toSorted(), ["opened alerts_undelivered channel", "opened greylist_silent"]);
  assert.ok(!notices.raised.has("alerts_undelivered"));
});

test("an open critical alert means that not all is well", async () => {
  const { alerts, notices, seconds } = alertsOnDatabase();
  assert.equal(alerts().isWell, false, "nothing was looked at");
  notices.set("greylist_silent", "");
  await seconds(2);
  assert.equal(alerts().isWell, true);
  notices.set("disk_nearly_full", "");
  await seconds(2);
  assert.equal(alerts().isWell, false);
});

test("a sign-in without its code is new if the network that it came from is", async () => {
  const { engine, events, clock, signIn } = alertsOnDatabase();
  const asked = async (from: string): Promise<boolean> => {
    clock.advance(1_000);
    await engine.audit({ type: "SECOND_FACTOR_ASKED", subject: "authenticator app", by: `web:admin via ${from}` });
    return events().at(-1)?.isNewNetwork ?? assert.fail();
  };
  assert.equal(await asked("203.0.113.200"), true);
  await signIn("203.0.113.201", ANNA);
  assert.equal(await asked("203.0.113.200"), true, "a mailbox's sign-in makes no network known");
  await signIn("203.0.113.7");
  await signIn("2001:db8:1:2::3");
  assert.equal(await asked("203.0.113.200"), false);
  assert.equal(await asked("2001:db8:1:3::1"), false);
  assert.equal(await asked("198.51.100.7"), true);
});

for (const [login, name] of [
  ["admin", "web:admin"],
  [ANNA, `mailbox:${ANNA}`],
] as const)
  test(`a change by ${name} is critical from a network not used for a day`, async () => {
    const { clock, signIn, change } = alertsOnDatabase();
    await signIn("203.0.113.7", login);
    clock.advance(1_000);
    await signIn("198.51.100.7", login);
    assert.equal(await change(`${name} via 203.0.113.200`), "web_account", "the network of the first sign-in");
    assert.equal(await change(`${name} via 198.51.100.7`), "web_new_network", "a recent sign-in proves nothing");
    assert.equal(await change(`${name} via 192.0.2.7`), "web_new_network", "a stolen session");
    assert.equal(await change(`${name} via 127.0.0.1`), "web_account");
    clock.advance(DAY_MS - HOUR_MS);
    assert.equal(await change(`${name} via 198.51.100.7`), "web_new_network", "not yet for a day");
    clock.advance(HOUR_MS);
    assert.equal(await change(`${name} via 198.51.100.8`), "web_account");
  });

test("a change is judged the same after its account is removed", async () => {
  const { engine, db, events, clock, signIn } = alertsOnDatabase();
  const isNew = () => events().find(({ type }) => type === "APP_PASSWORD_MADE")?.isNewNetwork;
  await signIn("203.0.113.7", ANNA);
  clock.advance(1_000);
  const by = `mailbox:${ANNA} via 203.0.113.7`;
  await engine.audit({ type: "APP_PASSWORD_MADE", subject: `phone of ${ANNA}`, account: ANNA, by });
  assert.equal(isNew(), false);
  await engine.audit({ type: "ACCOUNT_REMOVED", subject: ANNA, by: "root" });
  assert.equal(scalarOf(db, "SELECT count(*) FROM known_address"), 0);
  assert.equal(isNew(), false);
});

test("a sign-in after a token has filled the audit does not count as the first", async () => {
  const { db, clock, signIn, change } = alertsOnDatabase();
  await signIn("203.0.113.7", "admin");
  clock.advance(DAY_MS);
  fillAudit(db);
  await signIn("198.51.100.7", "admin");
  assert.equal(await change("web:admin via 198.51.100.7"), "web_new_network");
});

test("a token's first network is familiar at once, any other after a day", async () => {
  const { clock, change } = alertsOnDatabase();
  assert.equal(await change("web:token nightly via 192.0.2.9"), "web_account");
  assert.equal(await change("web:token nightly via 198.51.100.9"), "web_new_network");
  clock.advance(DAY_MS);
  assert.equal(await change("web:token nightly via 198.51.100.10"), "web_account");
});

test("the first network of a new token is familiar even if the audit is long", async () => {
  const { engine, db, change } = alertsOnDatabase();
  await change("web:token old via 192.0.2.9");
  fillAudit(db);
  await engine.audit({ type: "TOKEN_CREATED", subject: "new", by: "root" });
  assert.equal(await change("web:token new via 192.0.2.9"), "web_account");
  assert.equal(await change("web:token new via 198.51.100.9"), "web_new_network");
  assert.equal(await change("web:token old via 203.0.113.9"), "web_new_network");
});

test("the networks are read once for many changes", async (t) => {
  const { engine, db, signIn } = alertsOnDatabase();
  await signIn("203.0.113.7");
  for (const by of ["web:admin", "web:token one", "web:token one", "web:token two", "web:admin"])
    await engine.audit({ type: "ACCOUNT_ADDED", subject: ANNA, by: `${by} via 198.51.100.7` });
  const events = sqliteAlertEvents(db);
  const { mock } = t.mock.method(StatementSync.prototype, "all");
  const [, ...changes] = events.between(0, 100);
  const areNew = changes.map(({ isNewNetwork }) => isNewNetwork);
  assert.deepEqual(areNew, [true, false, false, false, true]);
  assert.equal(mock.callCount(), 5, "the events, the network of the sign-in, all sign-ins, and the acts of each token");
});

function fillAudit(db: DatabaseSync): void {
  db.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    INSERT INTO audit_entry (at, actor, type, subject, detail, previous, hash)
      SELECT '', 'web:token lists via 192.0.2.9', 'BAN', '198.51.100.9', '{}', '', '' FROM n`);
}

test("an alert can name the changed object", async () => {
  const { engine, events } = alertsOnDatabase();
  const types = ["TOKEN_CREATED", "SETTINGS_APPLIED", "FACTOR_ADDED", "FACTOR_REMOVED", "RECOVERY_CODES_MADE"] as const;
  const more = ["RECOVERY_CODE_USED", "PASSKEY_ADDED", "PASSKEY_REMOVED", "PASSKEY_REFUSED"] as const;
  for (const type of [...types, ...more]) {
    await engine.audit({ type, subject: "it", by: "root" });
    assert.equal(events().at(-1)?.subject, "it", type);
  }
});

/** Real alerts on a real engine's database, with a fake channel. */
function alertsOnDatabase() {
  const { engine, db, clock, notices } = engineOnMemory();
  const sent: AlertMessage[] = [];
  let reachable = true;
  const channel = {
    name: "channel",
    send: (message: AlertMessage) => {
      if (!reachable) return Promise.resolve({ ok: false, reason: "no one there" } as const);
      sent.push(message);
      return Promise.resolve({ ok: true } as const);
    },
  };
  const settings = { ...SETTINGS, settleMs: MINUTE_MS, channels: [channel] };
  const make = (): Alerts => {
    const components = watchComponents(() => Promise.resolve([]), clock, SILENT);
    const parts = { events: sqliteAlertEvents(db), store: sqliteAlertStore(db), notices, components, clock };
    return new Alerts({ ...parts, log: SILENT }, settings);
  };
  let alerts = make();
  const signIn = async (from: string, login: "admin" | typeof ANNA = "admin"): Promise<void> => {
    await engine.ask({ ...succeeded(from, login), service: login === "admin" ? "dashboard" : "imap" });
  };
  const seconds = async (count: number): Promise<readonly string[]> => {
    for (let i = 0; i < count; i++) {
      await alerts.round();
      clock.advance(1_000);
    }
    await alerts.stop();
    return sent.splice(0).map(({ kind, code, subject }) => `${kind} ${code ?? ""} ${subject}`.trim());
  };
  return {
    engine,
    db,
    events: () => sqliteAlertEvents(db).between(0, 100),
    clock,
    notices,
    reach: (is: boolean) => (reachable = is),
    /** Restarts as after a kill: only stored state survives. */
    restart: () => (alerts = make()),
    alerts: () => alerts,
    signIn,
    fail: async (password: string): Promise<void> => {
      await engine.ask({ ...guess(password, ip("203.0.113.200")), login: ANNA });
    },
    seconds,
    /** Resolves with the code of the alert that the change raises. */
    change: async (by: string): Promise<string> => {
      clock.advance(1_000);
      await engine.audit({ type: "APP_PASSWORD_MADE", subject: `phone of ${ANNA}`, account: ANNA, by });
      return (await seconds(2)).flatMap((one) => /^opened (web_\S+)/.exec(one)?.[1] ?? []).join();
    },
  };
}
