// Invariant: An isolated server stays isolated until root lifts it, and none of its mail leaves or is lost.

import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import * as z from "zod/mini";
import { policyNonce } from "../../src/mail/dovecot/login-policy.ts";
import { contentOf } from "../kit/files.ts";
import { type HttpReceiver, type Received, startReceiver } from "./http-receiver.ts";
import { assessed, compared, contained, dropped, packed } from "./incident-answers.ts";
import { ANNA, BERT, openImapAs, sendMail, tryLogIn } from "./mail.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";
import { type Sink, startSink } from "./sink.ts";
import { assertShut, queueOf, reaches, submit, submitMany, waitingIn } from "./submitted.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const HOME = "198.51.100.65";
const THIEF = "198.51.100.99";
/** The address of mx.sender.test in the lab's DNS. */
const ELSEWHERE = "198.51.100.10";
const STRANGER = "198.51.100.80";
/** Below the number of held mails at which further ones are deferred. */
const MAILS = 150;
/** A fifth of the 100 strangers an hour (limits.sending.strangers), from a new place. */
const MOST_LEFT = 20;
const TABLE = ["table", "inet", "ghostinbox_isolation"];

export async function receiveAlerts({ lab, product }: Running): Promise<HttpReceiver> {
  product.set({ GHOSTINBOX_ALERTS__WEBHOOK: "http://mx.sender.test:8001/hook" });
  return startReceiver(lab.sender, lab.directory, ELSEWHERE, 8001);
}

/** An incident, from a stolen password to the report, with its SETTINGS. Another program has the port `taken`. */
export function incidentTests(running: Running, webhook: () => HttpReceiver, taken: number): void {
  const { lab, product } = running;
  let elsewhere: Sink;
  let [before, id] = ["", ""];
  /** Mails that were not held. */
  let left = 0;
  const { layout } = product;
  const folder = () => join(layout.incidents, id);

  test("a thief sends 150 mails to strangers, and there is an alert", async () => {
    elsewhere = await startSink(lab, ELSEWHERE);
    assert.match(await signIn(PASSWORD), /^OK/);
    await product.json(["backup", "create"]);
    before = new Date().toISOString();
    const codes = await submitMany(running, { account: ANNA, from: THIEF, mails: MAILS });
    assert.deepEqual(codes, [250], "the thief learns nothing");
    const isHeld = ({ body }: Received): boolean => body.includes("account_held");
    await until("the owner is alerted", () => webhook().received().some(isHeld), 20_000);
    left = await product.countEvents(`type = 'EMAIL_ACCEPTED' AND account = '${ANNA}'`);
    assert.ok(left > 0 && left <= MOST_LEFT, `${left} mails were not held`);
    await until("what was not held has left", () => elsewhere.mails().length === left);
  });

  test("isolated: the world is refused, the administrator is not, and no mail moves in either direction", async () => {
    const opened = await product.json(["incident", "open", "Anna", "was", "hijacked", "--since", before]);
    ({ id } = z.parse(z.object({ id: z.string() }), opened));
    assert.equal(statSync(folder()).mode & 0o777, 0o700);
    assert.equal((await product.cli(["incident", "isolate"])).code, 2, "it cannot ask without a terminal");
    // As under sudo(8), which removes the variable.
    const behindSudo = "env -u SSH_CONNECTION ./ghostinbox incident isolate --yes; exit $?";
    const isolated = await product.shell(`SSH_CONNECTION='${HOME} 50000 ${SERVER.v4} 22' sh -c '${behindSudo}'`);
    assert.equal(isolated.code, 0, isolated.stderr);
    const says = `only ${HOME} can connect[^;]*; mail waits in the queue in both directions`;
    assert.match(isolated.stdout, new RegExp(says));
    assert.match(isolated.stdout, /Contacts: Eve \+49 30 901820/);
    await assertShut(running, { stranger: STRANGER, administrator: HOME });
    // The administrator's own mail is accepted and waits; so does mail for local users.
    for (const to of ["friend@sender.test", ANNA]) assert.equal(await submit(running, BERT, HOME, to), 250);
    await bothWait();
    await product.json(["queue", "flush"]);
    const isTried = async () => (await waitingIn(running)).every(({ reason }) => /isolated/.test(reason));
    await until("a flush was tried", isTried);
    await bothWait();
    const isReported = async () => /The server is isolated/.test((await product.cli(["status"])).stdout);
    await until("the notice", isReported);
  });

  test("it stays so through a changed setting, a removed table, a failed start, and a restart", async () => {
    await assertTableFollows(running);
    assert.equal(await reaches(running, STRANGER, 25), false);
    await product.configure("limits.mail.recipients", "99");
    await bothWait();
    await product.stop();
    const reasons = { [taken]: /is in use by/, none: /PORTS__SUBMISSIONS must be a whole number/ };
    for (const [port, says] of Object.entries(reasons)) {
      await lab.server.mustExec(["nft", "flush", "ruleset"]);
      product.set({ GHOSTINBOX_PORTS__SUBMISSIONS: port });
      assert.notEqual(await product.startInVain(), 0);
      assert.match(product.output, says);
      assert.equal(await reaches(running, STRANGER, taken), false);
    }
    product.set({ GHOSTINBOX_PORTS__SUBMISSIONS: "465" });
    await product.start();
    assert.match(product.output, /the server is isolated/);
    await assertShut(running, { stranger: STRANGER, administrator: HOME });
    await bothWait();
  });

  test("assessed: who sent what, from where and to whom", async () => {
    const open = await openImapAs(lab.sender, HOME, BERT);
    const found = z.parse(assessed, await product.json(["incident", "assess"]));
    assert.deepEqual(found.sessions, [{ account: BERT, ip: HOME }]);
    open.close();
    const [anna] = found.accounts;
    assert.deepEqual([anna?.account, anna?.mails, anna?.held], [ANNA, MAILS, MAILS - left]);
    assert.equal(anna?.newPlaces.includes(`${THIEF}/32`), true);
    const hers = found.mails.filter((mail) => mail.recipients.some((to) => to.startsWith("victim")));
    assert.equal(hers.flatMap((mail) => mail.reached).length, left);
    const sent = await product.cli(["incident", "sent", ANNA]);
    assert.match(sent.stdout, /^MAIL +ACCOUNT +AT +FROM +REACHED +TO$/m);
    assert.match(sent.stdout, new RegExp(`${ANNA} .* ${THIEF} +held +victim\\d+@sender\\.test`));
  });

  test("contained: the thief is out, and does not come back", async () => {
    const planned = await product.cli(["incident", "contain", ANNA, "--ban-new", "--tokens", "--dry-run"]);
    assert.match(planned.stdout, new RegExp(`Give ${ANNA} a new password[^]*Ban ${THIEF}`));
    assert.equal(await product.banOf(THIEF), undefined, "nothing was done yet");
    const token = await product.makeToken("old");
    const knows = `SELECT prefix FROM known_address WHERE account = '${ANNA}' AND prefix IN ('${HOME}/32', '${THIEF}/32')`;
    assert.equal((await product.sqlite(knows)).length, 2);
    const done = await product.json(["incident", "contain", ANNA, "--ban", THIEF, "--tokens", "--yes"]);
    assert.deepEqual(await product.sqlite(knows), [[`${HOME}/32`]], "the thief's place is forgotten");
    const [printed = ""] = z.parse(contained, done).printed;
    const newPassword = new RegExp(`^${ANNA} +(\\S+)$`).exec(printed)?.[1] ?? assert.fail(printed);
    assert.ok(await product.banOf(THIEF));
    const withToken = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", `Authorization: Bearer ${token}`];
    assert.equal(await lab.server.mustExec([...withToken, "http://127.0.0.1:3000/api/v1/bans"]), "401");
    assert.match(await signIn(PASSWORD), /^NO/, "the stolen password");
    assert.match(await signIn(newPassword), /^OK/);
    assert.ok(!readFileSync(join(folder(), "timeline.jsonl"), "utf8").includes(newPassword), "it is kept nowhere");
  });

  test("dropped and investigated: none of the mail leaves, all is kept as evidence, and a change to that is found", async () => {
    const taken = z.parse(dropped, await product.json(["incident", "drop", ANNA, "--yes"]));
    assert.deepEqual([taken.dropped, taken.kept.length], [MAILS - left, MAILS - left]);
    const hers = (await queueOf(running)).filter(({ sender }) => sender === ANNA);
    assert.deepEqual(hers, []);
    const bundle = z.parse(packed, await product.json(["incident", "investigate"]));
    assert.deepEqual(bundle.lacks, []);
    const verified = await product.does(["incident", "verify", bundle.file]);
    assert.match(verified, /is the bundle that was packed: entry \d+ of the audit names it/);
    const names = (await lab.server.mustExec(["tar", "-tzf", bundle.file])).split("\n");
    assert.equal(names.filter((name) => /^\.\/mails\/\w+$/.test(name)).length, MAILS - left);
    const wanted = ["events.jsonl", "audit.jsonl", "logs/mail/mail.log", "conf/settings.toml", "machine/firewall.txt"];
    for (const name of wanted) assert.ok(names.includes(`./${name}`), name);
    const out = lab.path("out");
    await lab.server.mustExec(["sh", "-c", `mkdir ${out} && tar -xzf ${bundle.file} -C ${out}`]);
    const [first = ""] = taken.kept;
    const printed = await lab.server.mustExec(["postcat", "-c", layout.postfixConf, join(out, "mails", first)]);
    assert.match(printed, /victim\d+@sender\.test/);
    const [policy = "", word = ""] = [layout.loginPolicySecret, layout.proofWord].map((path) => contentOf(path).trim());
    for (const secret of [policy, word, policyNonce(policy), '"passwordHash"'])
      assert.equal((await lab.server.exec(["grep", "-rF", secret, out])).code, 1, secret);
    const copy = join(out, basename(bundle.file));
    const change = `echo x >> ${out}/events.jsonl && tar -C ${out} -czf ${copy} ./events.jsonl`;
    await lab.server.mustExec(["sh", "-c", change]);
    await product.fails(["incident", "verify", copy], new RegExp(`but entry \\d+ of the audit names ${bundle.sha256}`));
  });

  test("recovered: differences from the backup are listed, and each direction is opened separately", async () => {
    await product.json(["alias", "add", "thief@example.test", BERT]);
    const { compared: found } = z.parse(compared, await product.json(["incident", "recover"]));
    const differences = found.differences.map(({ what, is }) => `${what}: ${is}`);
    for (const one of [
      `password of ${ANNA}: another`,
      `alias thief@example.test: to ${BERT}`,
      "setting limits.mail.recipients: 99",
    ])
      assert.ok(differences.includes(one), `${one} is not in ${differences.join("; ")}`);
    await product.json(["alias", "remove", "thief@example.test"]);
    assert.equal((await product.cli(["incident", "close"])).code, 1, "still isolated");
    await product.json(["incident", "recover", "--lift", "receive"]);
    await until("what waited for users here arrives", async () => (await waitingIn(running)).length === 1);
    assert.equal((await sendMail({ host: lab.sender, from: STRANGER })).code, 250, "nothing was lost");
    assert.equal(await reaches(running, STRANGER, 993), false);
    await product.json(["incident", "recover", "--lift", "sign-in"]);
    assert.equal(await reaches(running, STRANGER, 993), true);
    assert.equal((await waitingIn(running)).length, 1, "still nothing leaves");
    const told = (await product.cli(["incident", "tell", ANNA])).stdout;
    assert.match(told, /^Subject: Mail from anna@example\.test on or after [^]*\n\d+ recipients:\nvictim/m);
    await product.json(["incident", "tell", ANNA, "--send", "--yes"]);
    assert.match((await product.cli(["incident", "tell", ANNA, "--send", "--yes"])).stdout, /No one is left to notify/);
    assert.match((await product.cli(["incident", "recover", "--lift", "send"])).stdout, /no longer isolated/);
    assert.equal(existsSync(layout.isolation), false);
    assert.doesNotMatch(await lab.server.mustExec(["nft", "list", "tables"]), /isolation/);
    // A lift removes the table left by an interrupted one.
    await lab.server.mustExec(["nft", "add", ...TABLE]);
    await product.json(["incident", "recover", "--lift", "all"]);
    assert.doesNotMatch(await lab.server.mustExec(["nft", "list", "tables"]), /isolation/);
    // The thief's mails, one notification about each, and Bert's mail.
    await until("everything that waited has left", () => elsewhere.mails().length === 2 * left + 1);
    assert.equal(elsewhere.mails().filter((mail) => mail.includes("may be forged")).length, left);
    await until("the queue is empty", async () => (await queueOf(running)).length === 0);
  });

  test("reported and closed, and the audit holds every step", async () => {
    await product.json(["incident", "note", "Anna used this password elsewhere too."]);
    const { stdout } = await product.cli(["incident", "report"]);
    for (const part of [
      /^# Incident: Anna was hijacked$/m,
      /152 mails were sent by them: 1\d\d held at first, \d+ recipients reached/,
      /\| root \| isolate \| The server was isolated: only 198\.51\.100\.65/,
      /Anna used this password elsewhere too/,
      /No guesses were seen before anna@example\.test was used/,
      /^- Eve \+49 30 901820$/m,
    ])
      assert.match(stdout, part);
    assert.equal(readFileSync(join(folder(), "report.md"), "utf8").trim(), stdout.trim());
    await product.json(["incident", "close"]);
    assert.match((await product.cli(["incident", "note", "x"])).stderr, /No incident is open/);
    const steps = await product.sqlite("SELECT subject FROM audit_entry WHERE type = 'INCIDENT' ORDER BY id");
    const taken = steps.map(([subject = ""]) => /^\S+ (\w+):/.exec(subject)?.[1]);
    const all = "open isolate assess contain drop investigate recover tell note report close";
    assert.equal([...new Set(taken)].join(" "), all);
    await product.does(["audit", "verify"]);
    await product.json(["unban", THIEF]);
  });

  const signIn = (password: string): Promise<string> => tryLogIn(lab.sender, HOME, ANNA, password);
  async function bothWait(): Promise<void> {
    const waiting = async () => (await waitingIn(running)).filter(({ sender }) => sender === BERT);
    await until("both mails wait", async () => (await waiting()).length === 2);
    assert.equal(elsewhere.mails().length, left);
  }
}

/** Checks that the keeper restores the table of an isolated server, and removes one without an isolation. */
async function assertTableFollows({ lab, product }: Running): Promise<void> {
  const { isolation } = product.layout;
  const isThere = async (): Promise<boolean> => (await lab.server.exec(["nft", "list", ...TABLE])).code === 0;
  await lab.server.mustExec(["nft", "delete", ...TABLE]);
  await until("the keeper puts it back", isThere);
  renameSync(isolation, `${isolation}.away`);
  await until("the keeper removes what is left of an isolation", async () => !(await isThere()));
  renameSync(`${isolation}.away`, isolation);
  await until("the keeper puts it back again", isThere);
}
