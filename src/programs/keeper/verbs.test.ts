import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { put } from "../../../test/kit/files.ts";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { makeMailQueue, queuedMails, SENDMAIL } from "../../../test/kit/mail-queue.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { patience } from "../../../test/kit/patience.ts";
import { done, reasonOf } from "../../../test/kit/reason-of.ts";
import { ip } from "../../../test/kit/samples.ts";
import { hasRunForAWhile, noteProcess, underRunsv } from "../../../test/kit/supervised-process.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import type { KeeperCommand } from "../../admin/declare/keeper.ts";
import { DAY_MS, instant, MINUTE_MS } from "../../core/time.ts";
import { digestOf } from "../../guard/access/secrets.ts";
import { pidOf, unreadMark } from "../../host/running/supervise.ts";
import { USUAL_LOG_SETTINGS } from "../../mail/logs/keep-logs.ts";
import { createKeeperVerbs } from "./verbs.ts";

const DOMAIN = 'domains = ["example.org"]\n';
const BAN = { prefix: "203.0.113.7/32", jail: "sshd", failures: 5, lastsMs: 10 * MINUTE_MS };
const ENDING: readonly KeeperCommand[] = [
  { verb: "kick_account", account: "anna@example.org" },
  { verb: "imap_clients" },
  { verb: "end_imap", clients: [ip("203.0.113.7")] },
];
const BAN_MAIL = { verb: "mail_ban", ...BAN, unsaid: 2 } as const;

function keeper(toml: string | null = DOMAIN) {
  const layout = temporaryLayout("keeperSocket");
  if (toml !== null) writeFileSync(layout.settings, toml);
  return { layout, verbs: createKeeperVerbs(layout, {}) };
}

test("a ping returns the process before running work is done; mails to the owner and other work have separate queues", async () => {
  const { verbs } = keeper();
  const order: string[] = [];
  const slow = verbs.obey({ verb: "kick_account", account: "anna@example.org" }).then(() => order.push("kick"));
  const next = verbs.obey({ verb: "kick_account", account: "bert@example.org" }).then(() => order.push("next"));
  const mail = verbs.obey(BAN_MAIL).then(() => order.push("mail"));
  assert.deepEqual(await verbs.obey({ verb: "ping" }), { ok: true, detail: `pid ${process.pid}` });
  order.push("ping");
  await Promise.all([mail, next, slow]);
  assert.deepEqual(order, ["ping", "mail", "kick", "next"], "the mail has nothing to do; the others go one by one");
});

test("a question about a full mailbox delays no other work, nor waits for it", async () => {
  const { verbs } = keeper();
  const order: string[] = [];
  const kicks = Array.from({ length: 5 }, () => verbs.obey({ verb: "kick_account", account: "anna@example.org" }));
  const use = verbs.obey({ verb: "mailbox_use", account: "anna@example.org" }).then(() => order.push("use"));
  const last = Promise.all(kicks).then(() => order.push("kicks"));
  await Promise.all([use, last]);
  assert.deepEqual(order, ["use", "kicks"]);
});

const WORDS = { severity: "info", title: "t", body: "b" } as const;
const ALERT = { verb: "mail_alert", id: "a", kind: "opened", at: instant(0), ...WORDS } as const;

describe("settings that cannot be read", () => {
  const commands: readonly KeeperCommand[] = [{ verb: "apply" }, BAN_MAIL];
  for (const command of commands)
    test(`${command.verb} reports an error in them`, async () => {
      const { verbs } = keeper("domain = []\n[limits.mail]\nper_minute = 0\n");
      const reason = reasonOf(await verbs.obey(command));
      assert.match(reason, /domain is not a setting; the nearest is domains\./);
      assert.match(reason, /limits\.mail\.per_minute/);
    });

  test("until then logs are kept by the default settings", () => {
    assert.deepEqual(keeper("domain = []\n").verbs.logSettings(), USUAL_LOG_SETTINGS);
    assert.partialDeepStrictEqual(settingsWith(), USUAL_LOG_SETTINGS);
  });

  test("are reported, and in force at most a minute after they can be read", async () => {
    const { layout, verbs } = keeper("domain = []\n");
    const found = () => verbs.watches.troubles().all.filter(({ code }) => code === "settings_unread");
    verbs.lookAtSettings();
    assert.deepEqual(found(), [{ code: "settings_unread", detail: layout.settings }]);
    writeFileSync(layout.settings, `${DOMAIN}[logs]\nmax_age = "2d"\n`);
    verbs.lookAtSettings();
    assert.deepEqual([found(), verbs.logSettings()["logs.max_age"]], [[], 2 * DAY_MS]);
  });

  test("are refused if the file lost them, however long the owner was asked before", async () => {
    const { layout, verbs } = keeper("");
    put(layout.settingsInForce, DOMAIN);
    assert.match(reasonOf(await verbs.obey({ verb: "apply" })), /must have at least one setting/);
  });

  test("are refused if the file was edited since its reader saw it", async () => {
    const { layout, verbs } = keeper("");
    const apply = () => verbs.obey({ verb: "apply", digest: digestOf(DOMAIN) });
    writeFileSync(layout.settings, `${DOMAIN}spam.enabled = false\n`);
    assert.equal(reasonOf(await apply()), "The settings file was edited in the meantime.");
    assert.equal(existsSync(layout.settingsInForce), false);
    writeFileSync(layout.settings, DOMAIN);
    assert.doesNotMatch(reasonOf(await apply()), /edited/);
  });

  test("are not used by a keeper that restarts, nor are edits that were not applied", () => {
    const { layout } = keeper("domain = []\n");
    put(layout.settingsInForce, `${DOMAIN}[logs]\nmax_age = "2d"\n`);
    for (const edited of ["domain = []\n", `${DOMAIN}[logs]\nmax_age = "3d"\n`]) {
      writeFileSync(layout.settings, edited);
      assert.equal(createKeeperVerbs(layout, {}).logSettings()["logs.max_age"], 2 * DAY_MS);
    }
  });

  test("do not stop alerts, which go to postmaster or where the settings in force say", SENDMAIL, async () => {
    for (const [toml, to] of [
      ["domain = []\n", "postmaster"],
      [`${DOMAIN}[alerts]\nemail = ["owner@example.org"]\n`, "owner@example.org"],
    ] as const) {
      const { layout, verbs } = keeper(toml);
      makeMailQueue(layout);
      writeFileSync(layout.settings, "domain = []\n");
      assert.deepEqual(await verbs.obey(ALERT), { ok: true, detail: `Mailed ${to}.` });
    }
  });

  test("without a mail domain nothing is rendered", async () => {
    assert.match(reasonOf(await keeper(null).verbs.obey({ verb: "apply" })), /domain/);
  });
});

test("an invalid certificate is refused before anything is rendered", async () => {
  const { layout, verbs } = keeper();
  writeFileSync(layout.settings, `${DOMAIN}[tls]\ncert = "/nope/cert.pem"\nkey = "/nope/key.pem"\n`);
  assert.match(reasonOf(await verbs.obey({ verb: "apply" })), /\/nope\/cert\.pem/);
});

test("the status shows which services run, and what does not work from the second failure on", async (t) => {
  const { layout, verbs } = keeper();
  noteProcess(layout.services, "web", process.pid);
  mkdirSync(join(layout.services, "rspamd"));
  const web = { name: "web", up: true, pid: process.pid };
  const rspamd = { name: "rspamd", up: false, pid: null };
  const status = () => verbs.obey({ verb: "status" });
  assert.deepEqual(await status(), { ok: true, detail: "", services: [web, rspamd], troubles: [] });
  // Nothing listens on Rspamd's port.
  await t.waitFor(
    async () => {
      verbs.watches.lookAtParts();
      const reply = done(await status());
      const [reported] = reply.troubles ?? [];
      assert.equal(reported?.code, "verifier_silent");
      assert.match(reported.detail, /^Rspamd cannot be reached \(ENOENT\), since /);
      assert.equal(reply.services?.find(({ name }) => name === "rspamd")?.silence?.says, reported.detail);
    },
    { timeout: patience(20_000) },
  );
});

test("a missing service is not restarted, which the log says, and does not affect the next command", async (t) => {
  const { verbs } = keeper();
  const logged = t.mock.method(console, "error", () => undefined);
  const [first, second] = await Promise.all([
    verbs.obey({ verb: "restart", service: "web" }),
    verbs.obey({ verb: "restart", service: "dovecot" }),
  ]);
  assert.match(reasonOf(first), /^web could not be restarted: ./);
  assert.match(reasonOf(second), /^dovecot could not be restarted: ./);
  const lines = logged.mock.calls.map((one) => String(one.arguments[0]));
  const expected = [second, first].map((reply) => `keeper: ${reasonOf(reply)}`);
  assert.deepEqual(lines.toSorted(), expected);
});

test("the next keeper reloads what the last one could not before it ended", async () => {
  const { layout, verbs } = keeper();
  await verbs.reloadUnread();
  const marks = (["postfix", "dovecot"] as const).map((service) => unreadMark(layout.services, service));
  for (const mark of marks) mkdirSync(dirname(mark), { recursive: true, mode: 0o755 });
  const working = verbs.reload("postfix", "dovecot");
  assert.deepEqual(marks.map(existsSync), [true, true], "before any of them is reloaded");
  assert.match((await working) ?? "", /postfix could not be reloaded: .*; dovecot could not be reloaded: /);
  const next = createKeeperVerbs(layout, {});
  await assert.rejects(next.reloadUnread(), /postfix could not be reloaded: .*; dovecot could not be reloaded: /);
  assert.match(
    (await next.retry(["dovecot", "web"])) ?? "",
    /^dovecot could not be reloaded: /,
    "only the requested services",
  );
  assert.equal(await next.retry(["web"]), null);
  rmSync(layout.services, { recursive: true });
  await next.reloadUnread();
});

test("a web that was marked since the last check is left to whoever changed its settings", async () => {
  const { layout, verbs } = keeper();
  mkdirSync(join(layout.services, "web"), { recursive: true, mode: 0o755 });
  assert.equal(await verbs.reload("web"), null);
  await verbs.reloadUnread();
  await assert.rejects(verbs.reloadUnread(), /^Error: web could not be reloaded: /);
  await assert.rejects(createKeeperVerbs(layout, {}).reloadUnread(), /web could not be reloaded/);
});

test("a service that was restarted for its files is not restarted again for them", {
  skip: lacking({ installed: ["runsv"] }),
}, async (t) => {
  const { layout } = keeper();
  const web = join(layout.services, "web");
  underRunsv(t, web, "exec sleep infinity");
  await hasRunForAWhile(t, web);
  const mark = unreadMark(layout.services, "web");
  put(mark, "");
  const verbs = createKeeperVerbs(layout, {});
  assert.deepEqual(await verbs.obey({ verb: "restart", service: "web" }), { ok: true, detail: "web was restarted." });
  assert.ok(!existsSync(mark));
  const pid = pidOf(layout.services, "web");
  assert.equal(await verbs.reload("web"), null);
  await verbs.reloadUnread();
  assert.ok(existsSync(mark), "its next files are left to whoever changed its settings");
  assert.equal(pidOf(layout.services, "web"), pid);
});

test("a service whose files change during a reload is reloaded again; sessions end before", SENDMAIL, async () => {
  const { layout, verbs } = keeper();
  const [reloads, mayEnd] = [join(layout.data, "reloads"), join(layout.data, "may-end")];
  mkdirSync(join(layout.services, "postfix"), { recursive: true, mode: 0o755 });
  put(join(layout.postfixConf, "main.cf"), `daemon_directory = ${layout.data}\nqueue_directory = ${layout.data}\n`);
  const waits = `echo >> ${reloads}; until [ -e ${mayEnd} ]; do sleep 0.01; done`;
  writeFileSync(join(layout.data, "postfix-script"), `#!/bin/sh\n${waits}\n`, { mode: 0o755 });
  const first = verbs.reload("postfix");
  await until(() => existsSync(reloads));
  let haveEnded = false;
  void Promise.allSettled(ENDING.map((command) => verbs.obey(command))).then(() => (haveEnded = true));
  await until(() => haveEnded);
  const second = verbs.reload("postfix");
  writeFileSync(mayEnd, "");
  assert.deepEqual(await Promise.all([first, second]), [null, null]);
  assert.equal(readFileSync(reloads, "utf8"), "\n\n");
  assert.ok(!existsSync(unreadMark(layout.services, "postfix")));
});

test("sessions end before or after a restart of Dovecot, during which doveadm fails", {
  skip: lacking({ installed: ["runsv"] }),
}, async (t) => {
  const { layout, verbs } = keeper();
  const dovecot = join(layout.services, "dovecot");
  underRunsv(t, dovecot, "exec sleep infinity");
  await hasRunForAWhile(t, dovecot);
  const order: string[] = [];
  const restart = verbs.obey({ verb: "restart", service: "dovecot" }).finally(() => order.push("restarted"));
  await setImmediate();
  const ends = ENDING.map((command) => verbs.obey(command).finally(() => order.push(command.verb)));
  await Promise.allSettled([restart, ...ends]);
  assert.deepEqual(order, ["restarted", ...ENDING.map(({ verb }) => verb)]);
});

for (const [command, says] of [
  [{ verb: "kick_account", account: "anna@example.org" }, /^doveadm kick failed: /],
  [{ verb: "mailbox_use", account: "anna@example.org" }, /^doveadm quota failed: /],
] as const)
  test(`without Dovecot, ${command.verb} fails with a reason`, async () =>
    assert.match(reasonOf(await keeper().verbs.obey(command)), says));

describe("mails about bans", () => {
  test("are sent to no one without an address in the settings in force, even while the file has a mistake", async () => {
    const { layout, verbs } = keeper();
    for (const edited of [DOMAIN, "domain = []\n"]) {
      writeFileSync(layout.settings, edited);
      assert.deepEqual(await verbs.obey(BAN_MAIL), { ok: true, detail: "No alert address is set." });
    }
  });

  test("are queued with a sender whose mail is signed", SENDMAIL, async () => {
    const mailed = `hostname = "mail.example.org"\n${DOMAIN}[fail2ban]\ndestemail = "owner@example.org"\n`;
    const { layout, verbs } = keeper(mailed);
    makeMailQueue(layout);
    assert.deepEqual(await verbs.obey(BAN_MAIL), { ok: true, detail: "Mailed owner@example.org." });
    const [queued = ""] = queuedMails(layout);
    assert.match(queued, /From: Fail2Ban <postmaster@example\.org>/);
    assert.match(queued, /Subject: \[Fail2Ban\] sshd: banned 203\.0\.113\.7 from mail\.example\.org/);
  });
});
