// Invariant: Alerts never delay anything, depend only on the database, and are neither repeated nor lost over a restart.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alertsOnDatabase } from "../../../test/kit/alerts-on-database.ts";
import { parseIp } from "../../core/net/ip.ts";
import { HOUR_MS } from "../../core/time.ts";
import { SqliteAlertEvents } from "./alerts.ts";

describe("alerts on a database", () => {
  test("a condition is reported once, and its end once, whatever restarts are between", async () => {
    const { fail, seconds, restart, clock } = alertsOnDatabase();
    for (const password of ["a", "a", "a"]) await fail(password);
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

  test("events from before the start are reported after it", async () => {
    const { fail, seconds, restart } = alertsOnDatabase();
    await seconds(3);
    for (const password of ["a", "a", "a"]) await fail(password);
    restart();
    assert.deepEqual(await seconds(2), ["opened failed_logins"]);
  });

  test("an account that was added through the web is reported at once", async () => {
    const { engine, seconds, signIn } = alertsOnDatabase();
    await signIn("203.0.113.9");
    const account = "anna@example.test";
    for (let i = 0; i < 8; i++)
      await engine.audit({ type: "ACCOUNT_ADDED", subject: `${i}${account}`, by: "web:admin via 203.0.113.9" });
    const reported = await seconds(20);
    assert.equal(reported.length, 8, "none waits for a digest");
    assert.match(reported[0] ?? "", /^opened web_account 0anna@example\.test \(event \d+\)$/);
  });

  test("an alias that was added through the web is reported with its targets", async () => {
    const { engine, seconds, db } = alertsOnDatabase();
    const by = "web:admin via 203.0.113.9";
    const targets = ["thief@evil.test", "anna@example.test"];
    await engine.audit({ type: "ALIAS_ADDED", subject: "info@example.test", targets, by });
    assert.equal((await seconds(2)).length, 1);
    const details = db
      .prepare("SELECT detail FROM alert")
      .all()
      .map((row) => row["detail"]);
    assert.deepEqual(details, [`the alias was added: info@example.test to ${targets.join(", ")}, by ${by}`]);
  });

  test("what was not delivered before a restart is delivered after it, under the same id", async () => {
    const { notices, seconds, restart, reach, db } = alertsOnDatabase();
    reach(false);
    notices.raise("disk_nearly_full", "12 MB are left");
    assert.deepEqual(await seconds(3), []);
    const id = db.prepare("SELECT id FROM alert_message").get()?.["id"];
    reach(true);
    restart();
    assert.deepEqual(await seconds(10), ["opened disk_nearly_full"]);
    assert.match(String(id), /^msg_[0-9a-f]{32}$/);
    assert.equal(db.prepare("SELECT count(*) AS n FROM alert_message").get()?.["n"], 0);
  });

  test("a notice that comes and goes is one alert, and over when it has stayed away", async () => {
    const { notices, seconds } = alertsOnDatabase();
    const all: string[] = [];
    for (let i = 0; i < 5; i++) {
      notices.raise("dnsbl_set_aside", "zen.spamhaus.org");
      all.push(...(await seconds(10)));
      notices.clear("dnsbl_set_aside");
      all.push(...(await seconds(10)));
    }
    assert.deepEqual(all, ["opened dnsbl_set_aside"]);
    assert.deepEqual(await seconds(80), ["resolved dnsbl_set_aside"]);
  });

  test("each component that stays down has its own alert; a short restart has none", async () => {
    const { down, seconds } = alertsOnDatabase();
    down.push({ name: "postfix", status: "down", detail: "not running" });
    assert.deepEqual(await seconds(5), []);
    down.length = 0;
    assert.deepEqual(await seconds(20), []);
    for (const name of ["postfix", "dovecot", "keeper"]) down.push({ name, status: "down", detail: "not running" });
    assert.deepEqual(await seconds(20), [
      "opened component_down postfix",
      "opened component_down dovecot",
      "opened keeper_unreachable",
    ]);
    down.length = 0;
    assert.equal((await seconds(80)).length, 3);
  });

  test("after a restart nothing is over before it could have been looked at", async () => {
    const { down, seconds, restart } = alertsOnDatabase(1_000);
    down.push({ name: "postfix", status: "down", detail: "not running" });
    assert.deepEqual(await seconds(20), ["opened component_down postfix"]);
    restart();
    assert.deepEqual(await seconds(60), []);
    restart();
    down.length = 0;
    assert.deepEqual(await seconds(60), ["resolved component_down postfix"]);
  });

  test("a sign-in is from a new place the first time only", async () => {
    const { engine, db, clock } = alertsOnDatabase();
    const ip = parseIp("203.0.113.200");
    assert.ok(ip !== null);
    for (let i = 0; i < 2; i++) {
      await engine.ask({ type: "LOGIN_SUCCEEDED", ip, service: "imap", login: "anna@example.test", passwordHash: "" });
      clock.advance(1_000);
    }
    const seen = new SqliteAlertEvents(db).between(0, 100);
    assert.deepEqual(
      seen.map(({ type, isNewPlace }) => [type, isNewPlace]),
      [
        ["LOGIN_SUCCEEDED", true],
        ["LOGIN_SUCCEEDED", false],
      ],
    );
  });

  test("an account that is guessed at from everywhere is reported, and its right password from a new place separately", async () => {
    const { engine, seconds, clock, restart } = alertsOnDatabase();
    const account = { service: "imap", login: "anna@example.test" } as const;
    const from = (text: string) => ({ ...account, ip: parseIp(text) ?? assert.fail() });
    await engine.ask({ type: "LOGIN_SUCCEEDED", ...from("203.0.113.200"), passwordHash: "right" });
    for (let i = 0; i < 40; i++) {
      const guess = { ...from(`198.18.${i}.7`), passwordHash: `guess ${i}` };
      const { verdict } = await engine.ask({ type: "LOGIN_ASKED", ...guess });
      if (verdict !== "refuse") await engine.ask({ type: "LOGIN_FAILED", ...guess });
    }
    const guarded = "opened account_guarded anna@example.test";
    assert.deepEqual((await seconds(5)).toSorted(), [guarded, "opened failed_logins", "opened spraying"]);
    const inNewPlace = { type: "LOGIN_ASKED", ...from("198.51.100.9"), passwordHash: "right" } as const;
    assert.equal((await engine.ask(inNewPlace)).verdict, "pass", "the owner travels");
    engine.setPolicy({ ...engine.policy, accounts: { ...engine.policy.accounts, candidates: 30 } });
    assert.equal((await engine.ask(inNewPlace)).verdict, "refuse", "nothing is left of the budget");
    assert.deepEqual(await seconds(2), ["opened right_password_refused anna@example.test"]);
    restart();
    assert.deepEqual(await seconds(2), []);
    clock.advance(HOUR_MS);
    assert.equal((await seconds(100)).filter((one) => one.startsWith("resolved")).length, 4);
  });

  test("a token is reported if it was made through the web, by its name", async () => {
    const { engine, seconds, signIn } = alertsOnDatabase();
    await signIn("203.0.113.7");
    await engine.audit({ type: "TOKEN_CREATED", subject: "backup", by: "root" });
    await engine.audit({ type: "TOKEN_CREATED", subject: "nightly", by: "web:admin via 203.0.113.9" });
    assert.match((await seconds(2)).join("\n"), /^opened web_token nightly \(event \d+\)$/);
    await engine.audit({ type: "PASSKEY_ADDED", subject: "Laptop", by: "web:admin via 203.0.113.9" });
    assert.match((await seconds(2)).join("\n"), /^opened web_passkey Laptop added \(event \d+\)$/);
  });

  test("an account is known once it has signed in, however it is written", async () => {
    const { engine, db, fail } = alertsOnDatabase();
    await fail("a");
    const before = new SqliteAlertEvents(db).between(0, 100);
    assert.deepEqual(
      before.map(({ isKnownAccount }) => isKnownAccount),
      [false],
    );
    const ip = parseIp("203.0.113.201");
    assert.ok(ip !== null);
    await engine.ask({ type: "LOGIN_SUCCEEDED", ip, service: "imap", login: "Anna@example.test", passwordHash: "" });
    const [failed] = new SqliteAlertEvents(db).between(0, 100);
    assert.equal(failed?.isKnownAccount, true);
  });

  test("a sign-in is new by its network, and the first by its account", async () => {
    const { engine, db, clock } = alertsOnDatabase();
    const succeed = async (from: string, login = "anna@example.test"): Promise<string> => {
      clock.advance(1_000);
      const ip = parseIp(from) ?? assert.fail();
      await engine.ask({ type: "LOGIN_SUCCEEDED", ip, service: "imap", login, passwordHash: "right" });
      const { isNewPlace, isNewNetwork, isFirst } = new SqliteAlertEvents(db).between(0, 100).at(-1) ?? assert.fail();
      return [isNewPlace && "place", isNewNetwork && "network", isFirst && "first"].filter(Boolean).join(" ");
    };
    assert.equal(await succeed("203.0.113.200"), "place network first");
    assert.equal(await succeed("203.0.113.200"), "");
    assert.equal(await succeed("203.0.113.201", "Anna@example.test"), "place");
    assert.equal(await succeed("2001:db8:1:2::3"), "place network");
    assert.equal(await succeed("2001:db8:1:3::3"), "place");
    assert.equal(await succeed("2001:db8:1:3::3", "bert@example.test"), "place network first");
  });

  test("far more than usual is reported; the usual, though it is much, is not", async () => {
    const { fail, seconds } = alertsOnDatabase();
    for (let i = 0; i < 60; i++) await fail("a");
    assert.ok((await seconds(15)).includes("opened volume_spike"));
    const other = alertsOnDatabase();
    for (let hour = 0; hour < 24; hour++) {
      for (let i = 0; i < 150; i++) await other.fail("a");
      other.clock.advance(HOUR_MS);
    }
    for (let i = 0; i < 60; i++) await other.fail("a");
    assert.ok(!(await other.seconds(15)).includes("opened volume_spike"));
  });

  test("alerts are sent while the database takes nothing", async () => {
    const { db, notices, seconds } = alertsOnDatabase();
    db.exec("PRAGMA query_only = 1");
    notices.raise("database_unwritable", "disk full");
    assert.deepEqual(await seconds(3), ["opened database_unwritable"]);
    db.exec("PRAGMA query_only = 0");
    await seconds(1);
    assert.equal(db.prepare("SELECT count(*) AS n FROM alert").get()?.["n"], 1);
  });

  test("a channel that fails becomes an alert itself", async () => {
    const { notices, seconds, reach } = alertsOnDatabase();
    reach(false);
    notices.raise("greylist_silent", "");
    await seconds(20);
    assert.equal(notices.raised.get("alerts_undelivered"), "channel: no one there");
    reach(true);
    assert.deepEqual((await seconds(40)).toSorted(), ["opened alerts_undelivered", "opened greylist_silent"]);
    assert.ok(!notices.raised.has("alerts_undelivered"));
  });

  test("an account in danger stops no heartbeat; checks that do not run do", async () => {
    const { engine, alerts, fail, seconds, clock } = alertsOnDatabase();
    for (const password of ["a", "b", "c"]) await fail(password);
    const ip = parseIp("203.0.113.200");
    assert.ok(ip !== null);
    await engine.ask({ type: "LOGIN_SUCCEEDED", ip, service: "imap", login: "anna@example.test", passwordHash: "" });
    assert.equal(alerts().isWell, false, "nothing was looked at");
    assert.ok((await seconds(2)).includes("opened password_guessed anna@example.test"));
    assert.equal(alerts().isWell, true);
    clock.advance(60_000);
    assert.equal(alerts().isWell, false);
  });

  test("while something critical is open, all is not well", async () => {
    const { alerts, notices, seconds } = alertsOnDatabase();
    notices.raise("greylist_silent", "");
    await seconds(2);
    assert.equal(alerts().isWell, true);
    notices.raise("disk_nearly_full", "");
    await seconds(2);
    assert.equal(alerts().isWell, false);
  });
});
