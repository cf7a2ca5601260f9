import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { before, describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { copiedCheckout, copyCheckout } from "../lab/checkout.ts";
import { AS_NOBODY } from "../lab/commands.ts";
import { type Locker, lockDatabase } from "../lab/locker.ts";
import { signIn } from "../lab/login-attacks.ts";
import { ANNA, assertAccepted, openSmtp, sendMail } from "../lab/mail.ts";
import { makeNextVersion } from "../lab/next-version.ts";
import { ALERTS_ELSEWHERE, type Owner, ownerOf } from "../lab/owner.ts";
import { ADMIN_PASSWORD, PASSWORD, Product } from "../lab/product.ts";
import { filesOf, type Resources, resourcesOf } from "../lab/resources.ts";
import { queueOf } from "../lab/submitted.ts";
import { duringTraffic, LONGER_PAUSE_MS, missingOf, type Traffic } from "../lab/traffic.ts";
import { until } from "../lab/wait.ts";
import { WebClient } from "../lab/web-client.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const NEW_PASSWORD = "another long phrase for the dashboard";
const BANNED = "203.0.113.200";
/** How long both databases are locked. For a longer test, set LOCK_SECONDS=120. */
const LOCK_MS = Number(process.env["LOCK_SECONDS"] ?? 15) * 1_000;
/** How often each changed setting is applied (for a longer test, set APPLIES=10). `reloads`: whose configuration changes. */
const APPLIES = Number(process.env["APPLIES"] ?? 3);
const CHANGES = [
  { reloads: "postfix", toml: (round: number) => `outbound.queue_lifetime = "${100 + round}h"` },
  { reloads: "dovecot", toml: (round: number) => `mailboxes.quota = "${1_000 + round}MB"` },
  { reloads: null, toml: (round: number) => `alerts.thresholds.bans = ${100 + round}` },
] as const;
/** Sign-ins that a reload of Dovecot may cut off, one after the other. */
const CUT_OFF_IN_ROW = 3;
/** Mails that all reloads of Dovecot together may defer. */
const DEFERRED = 2;
/** Allowed growth of the guard's private memory; it warms up by 10 MB in its first thousand mails anyway. */
const GROWTH_KB = 16_384;
/** A program that listens exclusively on the port in its argument. */
const LISTENS = `require("node:net").createServer().listen(Number(process.argv[1]), "0.0.0.0")`;
/** Maximum time of a mail or sign-in while the databases are locked; half a second unless the machine is busy. */
const PATIENCE_MS = patience(10_000);

describe("a server in use", needsLab(), () => {
  const { lab, product } = withProduct(ALERTS_ELSEWHERE, [ANNA]);
  const { layout } = product;
  let owner: Owner;
  before(async () => {
    owner = await ownerOf(product, lab);
  });
  const arrive = (subjects: readonly string[]): Promise<true> =>
    until("each mail is in the mailbox", () => missingOf(layout, ANNA, subjects).length === 0);

  test(`${CHANGES.length * APPLIES} times config apply: no mail is lost, no port is closed, and nothing grows or is left behind`, async () => {
    const programs = (): readonly number[] => [/\/guard\.js$/, /\/keeper\.js$/].flatMap((one) => product.pidsOf(one));
    const [before, lines] = [programs(), new Map<string, string>()];
    const applyEach = async (round: number): Promise<void> => {
      for (const { toml, reloads } of CHANGES) {
        lines.set(String(reloads), toml(round));
        product.writeSettings([...lines.values(), ""].join("\n"));
        // As when an owner types commands, so that reloads don't follow each other faster than that.
        const { code, stdout } = await product.typed(["config", "apply"]);
        assert.equal(code, 0, stdout);
        assert.equal(/Reloaded ([^.]*)\./.exec(stdout)?.[1] ?? null, reloads, stdout);
      }
    };
    let files: readonly string[] = [];
    let resources: readonly Resources[] = [];
    const traffic = await duringTraffic({ lab, account: ANNA, networks: "2" }, async () => {
      await applyEach(0);
      // Without a copy of a database that is being made.
      files = filesOf(layout).filter((file) => !file.includes(".copy.new"));
      resources = before.map(resourcesOf);
      for (let round = 1; round <= APPLIES; round++) await applyEach(round);
    });
    traffic.print();
    // Postfix asks Dovecot about room. If Dovecot's auth process ends in the middle of the answer, the mail is deferred.
    const deferred = traffic.failures("mail");
    for (const answer of deferred) assert.match(answer, /^450 4\.7\.1 \S+ .*: Temporary internal error$/);
    assert.ok(deferred.length <= DEFERRED, `${deferred.length} mails deferred`);
    // Dovecot ends sessions when it reloads, even new ones, but its port stays open. If its auth process ends before the
    // process that waits for it, that process reports a failure.
    for (const answer of traffic.failures("sign-in"))
      assert.match(answer, /^(closed after |NO \[(AUTHENTICATIONFAILED|UNAVAILABLE)\])/);
    const refused = `SELECT type FROM event WHERE account = '${ANNA}' AND type IN ('LOGIN_FAILED', 'LOGIN_REFUSED')`;
    assert.deepEqual(await product.sqlite(refused), [], "the guard refused none");
    assert.ok(traffic.failedInRow("sign-in") <= CUT_OFF_IN_ROW, `${traffic.failedInRow("sign-in")} in a row`);
    await arrive(traffic.accepted());
    assert.deepEqual(programs(), before, "neither the guard nor the keeper was restarted");
    assert.match((await product.cli(["config", "apply"])).stdout, /^No setting had changed\.$/m);
    assert.doesNotMatch((await product.cli(["config", "show"])).stdout, /not applied yet/);
    await until("nothing is left", () => {
      assert.deepEqual(filesOf(layout), files);
      return true;
    });
    await owner.seesAllWell();
    await until("memory and file handles are as before", () => {
      const now = before.map(resourcesOf);
      const grown = now.map(({ memoryKb, handles }, i) => ({
        memoryKb: memoryKb - (resources[i]?.memoryKb ?? 0),
        handles: handles - (resources[i]?.handles ?? 0),
      }));
      for (const { memoryKb, handles } of grown)
        assert.ok(handles <= 0 && memoryKb < GROWTH_KB, JSON.stringify({ now, grown }));
      console.log(JSON.stringify({ now, grown }));
      return true;
    });
  });

  test("while both databases are locked, mail and sign-ins work, the program is named, and everything is counted later", async () => {
    // Ensures that a change applied under the lock reloads nothing, because Dovecot would end sessions.
    product.writeSettings("");
    await product.does(["config", "apply"]);
    const [faulty, late, bea] = ["198.51.100.90", "198.51.100.91", "bea@example.test"];
    const slowly = { lab, account: ANNA, networks: "1", pauseMs: LONGER_PAUSE_MS };
    const traffic = await duringTraffic(slowly, async () => {
      const lockers: Locker[] = [];
      const from = performance.now();
      try {
        for (const each of [layout.engineDb, layout.accountsDb]) lockers.push(await lockDatabase(lab.server, each));
        const [engine = 0, accounts = 0] = lockers.map(({ pid }) => pid);
        const names = `pid ${engine}, .* has locked engine\\.db since .*pid ${accounts}, .*accounts\\.db since .*`;
        await owner.isAlertedTo({
          database_locked: new RegExp(`${names}Try: kill ${engine} ${accounts}`),
          database_unwritable: /locked/,
        });
        (await openSmtp(lab.sender, faulty, ["HELO client"])).close();
        const adding = ["account", "add", bea, "--password-stdin"];
        await product.fails(adding, /locked/, { input: `${PASSWORD}\n` });
        product.writeSettings('recipients.blocked = ["sales"]\n');
        assert.equal((await product.cli(["config", "apply"])).code, 1, "no record of it is kept");
        assert.match(await owner.detailOf("accounts_unwritable"), /locked/, "and not all is in force");
        await until("the lock has lasted", () => performance.now() - from > LOCK_MS, LOCK_MS + 1_000);
      } finally {
        for (const locker of lockers) await locker.release();
      }
      await owner.seesAllWell();
    });
    traffic.print();
    for (const kind of ["mail", "sign-in"] as const) {
      assert.deepEqual(traffic.failures(kind), []);
      assert.ok(traffic.longest(kind) < PATIENCE_MS, `a ${kind} took ${traffic.longest(kind)} ms`);
    }
    await arrive(traffic.accepted());
    await until("the events from the logs are recorded", async () =>
      (await product.events(faulty)).some(({ reason }) => reason === "helo_refused"),
    );
    await sendMail({ host: lab.sender, from: late });
    const types = (await product.events(late)).map(({ type }) => type);
    assert.ok(types.includes("EMAIL"), "mails are counted again");
    const blocked = await sendMail({ host: lab.sender, from: late, recipient: "sales@example.test" });
    assert.match(blocked.lines.join(), /rejected/, "the settings are in force");
    await product.addAccount(bea);
  });

  test("if another program takes a port during a restart, it is named, and mail waits until it ends", async () => {
    const [first, second] = ["Waits for Dovecot", "Comes after"];
    const takers: ChildProcess[] = [];
    try {
      takers.push(await takePort("dovecot", 993, smtpSink(993)));
      assertAccepted(await sendMail({ host: lab.sender, from: "198.51.100.92", subject: first }));
      await until("it waits in the queue", async () =>
        (await queueOf({ lab, product })).some(({ queue }) => queue === "deferred"),
      );
      takers.push(await takePort("postfix", 25, [process.execPath, "-e", LISTENS, "25"]));
      await owner.isAlertedTo({
        dovecot:
          /cannot start: port 993 for .* in use by smtp-sink \(pid (\d+)\)\. Try: (?:kill \1|systemctl disable --now \S+)/,
        postfix:
          /cannot start: port 25 for .* in use by \S+ \(pid (\d+)\)\. Try: (?:kill \1|systemctl disable --now \S+)/,
      });
    } finally {
      for (const taker of takers) taker.kill("SIGKILL");
    }
    await owner.seesAllWell();
    assert.match((await signIn(lab.sender, { from: "198.51.100.93", name: ANNA })).answer, /^OK/);
    assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.93", subject: second })).code, 250);
    await arrive([first, second]);
  });

  test("a port of Postfix that another program shares: it is named, though Postfix runs", async () => {
    const beside = lab.server.spawn(smtpSink(25));
    try {
      await owner.isAlertedTo({
        postfix:
          /port 25 for .* also in use by smtp-sink \(pid (\d+)\), which takes some .*Try: (?:kill \1|systemctl disable --now \S+)/,
      });
      assert.equal(beside.exitCode, null);
    } finally {
      beside.kill("SIGKILL");
    }
    await owner.seesAllWell();
  });

  test("a start while another user holds the dashboard's port: mail flows, that program answers no one, and the page returns", async () => {
    await product.stop();
    const listens = LISTENS.replace("0.0.0.0", "127.0.0.1");
    const taker = lab.server.spawn([...AS_NOBODY, process.execPath, "-e", listens, "3000"]);
    const page = { from: "127.0.0.1", to: "127.0.0.1", port: 3000 };
    try {
      await until("it has the port", () => lab.server.reaches(page));
      await product.start();
      assert.match(
        product.output,
        /Port 3000 for dashboard and API \(HTTP\) is in use by \S+ \(pid \d+\): stop that program/,
      );
      assert.equal(await lab.server.reaches(page), false);
      assertAccepted(await sendMail({ host: lab.sender, from: "198.51.100.95" }));
      await owner.isAlertedTo({ web: /cannot start: port 3000 for .* in use by .* Try: (?:kill|systemctl)/ });
    } finally {
      taker.kill("SIGKILL");
    }
    await owner.seesAllWell();
    assert.ok(await lab.server.reaches(page));
  });

  test("an upgrade and its rollback: no mail is lost, events and bans stay", async () => {
    copyCheckout(copiedCheckout(lab));
    makeNextVersion(copiedCheckout(lab));
    const place = { data: layout.data, checkout: copiedCheckout(lab), isByNpm: false };
    // A different password from the one used so far.
    const next = new Product(lab, { ...ALERTS_ELSEWHERE, ADMIN_PASSWORD: NEW_PASSWORD }, place);
    await product.json(["ban", BANNED]);
    const slowly = { lab, account: ANNA, networks: "3", pauseMs: LONGER_PAUSE_MS };
    const traffic = await duringTraffic(slowly, async (flowing) => {
      await until("some mail has come", () => flowing.count("mail") >= 10);
      await product.stop();
      const [[events = ""] = []] = await product.sqlite("SELECT max(id) FROM event");
      await startsWith(next, flowing, { password: NEW_PASSWORD, schema: "2", events });
      assert.match(next.output, /^The databases are being upgraded\. .* \(engine\.db of schema 1, accounts\.db of /m);
      await next.addAccount("new@example.test");
      await next.stop();
      const { code, stdout, stderr } = await next.cli(["rollback", "--yes"]);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^ {2}accounts: 1 added \(new@example\.test\)$/m);
      assert.match(stdout, /^The databases and the settings are those of the snapshot\./);
      assert.equal(await next.startInVain(), 4);
      assert.match(next.output, /The upgrade of engine\.db to schema 2 was undone/);
      await startsWith(product, flowing, { password: ADMIN_PASSWORD, schema: "1", events });
    });
    traffic.print();
    await arrive(traffic.accepted());
    const answer = async (name: string) => (await signIn(lab.sender, { from: "198.51.100.94", name })).answer;
    // Dovecot may still reload after the start, which ends new sessions.
    await until("Anna can sign in", async () => (await answer(ANNA)).startsWith("OK"));
    assert.match(await answer("new@example.test"), /^NO/);
  });

  type Kept = Readonly<{ password: string; schema: string; events: string }>;

  /** This version starts in the middle of traffic, with what the other one knew. */
  async function startsWith(version: Product, traffic: Traffic, { password, schema, events }: Kept): Promise<void> {
    await version.start();
    const counts = (): readonly number[] => [traffic.count("mail"), traffic.count("sign-in")];
    const earlier = counts();
    await until("mail and sign-ins continue", () => counts().every((count, i) => count > (earlier[i] ?? 0)));
    assert.deepEqual(await version.sqlite("PRAGMA user_version"), [[schema]]);
    assert.equal(await version.countEvents(`id = ${events}`), 1);
    assert.match(await version.firewallBans(), new RegExp(RegExp.escape(BANNED)));
    const page = await WebClient.local(lab.server);
    assert.equal((await page.ask("POST", "/api/v1/login", { body: { password } })).status, 200);
  }

  /** Another program listens there while the service restarts. */
  async function takePort(service: string, port: number, program: readonly string[]): Promise<ChildProcess> {
    const isOpen = () => lab.server.reaches({ from: "127.0.0.1", to: "127.0.0.1", port });
    await product.sv("down", service);
    await until("the port is free", async () => !(await isOpen()));
    const taker = lab.server.spawn(program);
    await until("it has the port", isOpen);
    assert.equal(taker.exitCode, null);
    await product.sv("up", service);
    return taker;
  }
});

/** Lets root share its port, as all of Postfix does (SO_REUSEPORT): Dovecot shares none. */
const smtpSink = (port: number): readonly string[] => ["smtp-sink", "-u", "nobody", `0.0.0.0:${port}`, "10"];
