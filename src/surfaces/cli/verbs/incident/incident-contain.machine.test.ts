import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { put } from "../../../../../test/kit/files.ts";
import { lacking } from "../../../../../test/kit/needs.ts";
import { accountName, net } from "../../../../../test/kit/samples.ts";
import { commandLineOf, start, startGuard } from "../../../../../test/kit/test-guard.ts";
import { SHUT } from "../../../../core/incident/incident.ts";
import { instant } from "../../../../core/time.ts";
import { keepIsolation, readIsolation } from "../../../../host/firewall/isolation.ts";
import { takeLock } from "../../../../host/running/data-directory.ts";
import { sqliteFileAccounts } from "../../../../store/accounts-db/file-accounts.ts";
import { openAccounts } from "../../../../store/open.ts";

const ANNA = "anna@example.org";
const PASSWORD = /^anna@example\.org {2}([a-z2-9]{5}(?:-[a-z2-9]{5}){3})/m;
const DOWN = { ok: false, reason: "no answer" } as const;

describe("incident contain", { skip: lacking({ root: true, installed: ["nft", "script", "unshare"] }) }, () => {
  const { layout, run, does, fails } = commandLineOf(import.meta.filename);
  let guard: Awaited<ReturnType<typeof startGuard>>;
  const contain = (options: string) => run(`incident contain ${ANNA} ${options}`.trim());
  const contained = (options: string) => does(`incident contain ${ANNA} ${options}`.trim());
  beforeEach(async () => {
    put(layout.loginPolicySecret, "secret\n");
    guard = await startGuard(layout);
    await does(`account add ${ANNA} --password-stdin`, "violet anchor mustard ladder\n");
    await does("incident open Anna");
  });
  afterEach(() => guard.stop());

  test("without a terminal and without --yes nothing is done", async () => {
    await fails(`incident contain ${ANNA}`, /^There is no terminal to confirm on, so nothing was done/, { code: 2 });
  });

  test("an assessment without Dovecot does not look like one without open sessions", async () => {
    guard.keeperAnswers(({ verb }) => (verb === "list_mail" ? { ok: true, detail: "", queue: [], total: 0 } : null));
    assert.match(await does("incident assess"), /^Open sessions are unknown, because Dovecot does not answer\.$/m);
  });

  test("an empty queue succeeds", async () => {
    const out = await contained("--yes");
    assert.match(out, /anna@example\.org had no other mail in the queue to hold/);
    assert.match(out, /The places that anna@example\.org first used since \S+ \S+ UTC are forgotten\./);
    assert.match(out, PASSWORD);
    const steps = /contain: Contained: 2 steps taken\.\n.* contain: Contained: 1 step taken\./;
    assert.match(await does("incident list"), steps, "each measure is in the timeline once it is taken");
  });

  for (const options of ["", "--suspend"])
    test(`forwards and vacation replies are ended, and recorded: ${options || "a new password"}`, async () => {
      await does(`account forward ${ANNA} eve@evil.example`);
      await does(`account vacation ${ANNA} Write to eve@evil.example.`);
      const planned = await contained(`--dry-run ${options}`);
      assert.match(planned, /- Stop forwarding mail for anna@example\.org to eve@evil\.example\./);
      assert.match(planned, /- End the vacation reply of anna@example\.org\./);
      const out = await contained(`--yes ${options}`);
      assert.match(out, /Mail for anna@example\.org is no longer forwarded to eve@evil\.example\./);
      assert.match(out, /The vacation reply of anna@example\.org is ended\. It was: Write to eve@evil\.example\./);
      assert.match(await does(`account forward ${ANNA}`), /stays in its mailbox/);
      assert.match(await does(`account vacation ${ANNA}`), /^anna@example\.org sends no vacation reply\.$/m);
    });

  for (const origin of ["listed", "unlisted"])
    test(`an account whose password is in the accounts file is suspended, and stays so: ${origin}`, async () => {
      using db = openAccounts(layout.accountsDb);
      db.prepare("UPDATE account SET followed = ?").run(origin);
      const says =
        /Its password is set in the accounts file: change it there, then `.* account resume anna@example\.org`/;
      const planned = await contained("--dry-run");
      assert.match(planned, /- Suspend anna@example\.org, end its sessions/);
      assert.match(planned, says);
      const out = await contained("--yes");
      assert.match(out, /anna@example\.org is suspended, its sessions were ended/);
      assert.match(out, says);
      assert.doesNotMatch(out, PASSWORD);
      assert.ok(guard.asked.some(({ verb }) => verb === "kick_account"));
      const { password } = db.prepare("SELECT password FROM account").get() ?? {};
      const files = sqliteFileAccounts(db);
      // The file still has the account's line, or has it again.
      files.follow([{ name: accountName(ANNA), hash: String(password) }], [], instant(0));
      assert.deepEqual(db.prepare("SELECT user FROM passdb").all(), []);
      files.endFollowing();
      assert.deepEqual(db.prepare("SELECT user FROM passdb").all(), []);
    });

  test("the address of the owner's own SSH connection is not banned", async () => {
    const ssh = { SSH_CONNECTION: "203.0.113.9 50000 198.51.100.1 22" };
    const { out, err } = await run("incident contain --ban 203.0.113.9,203.0.113.77 --yes", "", ssh);
    assert.match(out + err, /203\.0\.113\.9 is not banned: the SSH connection of this command comes from there\./);
    assert.match(out + err, /203\.0\.113\.77 is banned until /);
  });

  test("new places are kept while a ban fails, so that they can still be banned, and are named once forgotten", async () => {
    using engine = new DatabaseSync(layout.engineDb);
    const now = Date.now();
    engine
      .prepare("INSERT INTO known_address (account, prefix, first_at, last_at) VALUES (?, '203.0.113.78/32', ?, ?)")
      .run(ANNA, now, now);
    const ssh = { SSH_CONNECTION: "203.0.113.78 50000 198.51.100.1 22" };
    const kept = await run(`incident contain ${ANNA} --ban-new --yes`, "", ssh);
    assert.equal(kept.code, 1);
    const says = /The places that anna@example\.org first used since .* are kept, because a ban failed/;
    assert.match(kept.out + kept.err, says);
    const tells = /203\.0\.113\.78\/32 is banned until .*\n(.*\n)*The places .* are forgotten: 203\.0\.113\.78\/32\./;
    assert.match(await contained("--ban-new --yes"), tells);
  });

  test("mail that could not be held is a failure, and the new password is printed", async () => {
    guard.keeperAnswers(({ verb }) => (verb === "list_mail" ? DOWN : null));
    const { code, out, err } = await contain("--yes");
    assert.equal(code, 1);
    assert.match(out + err, /Mail of anna@example\.org in the queue was not all held: .*no answer/);
    assert.match(out + err, PASSWORD);
  });

  test("the dashboard's password is changed before tokens are revoked, including one that is made in between", async () => {
    const containAccess = () => does("incident contain --tokens --dashboard --yes");
    assert.match(await containAccess(), /No API token existed/);
    await does("token create one");
    using accounts = openAccounts(layout.accountsDb);
    accounts.exec(`
      CREATE TRIGGER again AFTER DELETE ON token WHEN old.name = 'one' BEGIN
        INSERT INTO token (name, digest, created_by, created_at, scopes) VALUES ('two', 'd', 'web:admin', 1, 'admin');
      END`);
    const out = await containAccess();
    const says =
      /The dashboard's password was changed\.\n(.*\n)*The API token one is revoked\.\nThe API token two is revoked\./;
    assert.match(out, says);
    assert.deepEqual(accounts.prepare("SELECT name FROM token").all(), []);
  });

  for (const options of ["", "--suspend"])
    test(`if sessions stay open, mail of the account is still held: ${options || "a new password"}`, async () => {
      guard.keeperAnswers(({ verb }) => (verb === "kick_account" ? DOWN : null));
      const { code, out, err } = await contain(`--yes ${options}`);
      assert.equal(code, 1);
      assert.match(out + err, /its open sessions were not ended: no answer/);
      assert.ok(guard.asked.some(({ verb }) => verb === "list_mail"));
      assert.equal(PASSWORD.test(out + err), options === "", "it is in force");
    });

  test("a server is isolated even if its queue cannot be held; a lift that fails lifts nothing", async () => {
    takeLock(layout.startPid);
    put(layout.settingsInForce, 'domains = ["example.org"]\nalerts.contacts = ["Eve"]\n');
    put(layout.settings, "a mistake, not applied");
    const inForce = { verb: "apply", inForce: true } as const;
    guard.keeperAnswers((asked) =>
      isDeepStrictEqual(asked, inForce) ? { ok: false, reason: "Postfix refuses it." } : null,
    );
    const isolate = ["incident", "isolate", "--yes", "--allow", "198.51.100.65"];
    // In a separate network, so that this machine is not isolated.
    const isolated = await start(layout, "unshare", ["--net", "./ghostinbox", ...isolate]).ended;
    assert.equal(isolated.code, 1);
    assert.match(isolated.err, /^The server was isolated: only 198\.51\.100\.65 can connect.*; the queue could not be/);
    const { err } = await run("incident recover --lift send");
    assert.match(err, /^Nothing was lifted: Postfix refuses it\. The queue is not held again: Postfix refuses it\. /);
  });

  test("an isolation that another session makes while the question is open keeps its addresses", async () => {
    const typed = "./ghostinbox incident isolate --allow 198.51.100.65";
    const asking = start(layout, "unshare", ["--net", "script", "-qec", typed, "/dev/null"]);
    await asking.printed("[y/N]");
    const allow = [net("203.0.113.9/32")];
    const others = { incident: "i", since: "2026-11-20T07:00:00Z", allow, ssh: [22], shut: SHUT };
    keepIsolation(layout, others);
    asking.child.stdin.end("y\n");
    const { out } = await asking.ended;
    assert.match(out, /The server was isolated: only 198\.51\.100\.65, 203\.0\.113\.9 can\s+connect/);
    assert.deepEqual(readIsolation(layout)?.allow, ["198.51.100.65/32", ...allow]);
  });

  test("a lift says what is still closed, and whether waiting mail could not be retried", async () => {
    const isolation = { incident: "i", since: "2026-11-20T07:00:00Z", allow: [], ssh: [22] };
    keepIsolation(layout, { ...isolation, shut: SHUT });
    // In a separate network, as above.
    const lift = (part: string) =>
      start(layout, "unshare", ["--net", "./ghostinbox", "incident", "recover", "--lift", part]).ended;
    guard.keeperAnswers(({ verb }) => (verb === "flush_mail" ? DOWN : null));
    const first = await lift("receive");
    const says =
      /^Lifted: mail from others is accepted again\. Still closed: sign-in, send\. After the start, `\S+ queue flush` retries waiting mail\.\n/;
    assert.match(first.out, says, first.err);
    assert.match(first.err, /recover --lift sign-in/);
    takeLock(layout.startPid);
    const second = await lift("send");
    assert.match(second.out, /Still closed: sign-in\. Waiting mail could not be retried: .*no answer\.\n/, second.err);
    assert.match(second.err, /recover --lift sign-in/);
    const rest = await lift("all");
    const tells = /The server is no longer isolated\. Waiting mail could not be retried: .*no answer\.\n/;
    assert.match(rest.out, tells, rest.err);
    assert.match(rest.err, /ghostinbox status/);
  });
});
