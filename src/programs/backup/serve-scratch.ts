import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { domainOf } from "../../core/net/address.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { NftFirewall } from "../../host/firewall/firewall.ts";
import { onlyBans } from "../../host/firewall/guard-table.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { groupId, userIds } from "../../host/machine/system-users.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { hasNetAdmin } from "../../host/running/container.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { SERVICES, type ServiceName } from "../../host/running/runit.ts";
import { programEnvironment, runsvdir, writeEnvironment, writeServices } from "../../host/running/supervise.ts";
import { lastLogLine } from "../../host/running/supervised.ts";
import { ask } from "../../host/sockets/control-client.ts";
import { CannotBeApart, type SecondServer } from "../../jobs/backup/drill.ts";
import { readSettings, writeFirstSettings } from "../../jobs/settings-file/settings-file.ts";
import { applyConfiguration, makeSecrets } from "../../mail/configuration/apply.ts";
import { makeDirectories } from "../../mail/configuration/directories.ts";
import { mailServices } from "../../mail/configuration/mail-services.ts";
import { readSite } from "../../mail/configuration/site.ts";
import { withoutLostKey } from "../../mail/dovecot/mail-keys.ts";
import { Mailboxes } from "../../mail/dovecot/mailboxes.ts";
import { IMAP } from "../../mail/dovecot/probe.ts";
import { TABLES } from "../../mail/postfix/main-cf.ts";
import { exchange } from "../../mail/probes/exchange.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import type { Environment } from "../../settings/load.ts";
import { type Settings, variableOf } from "../../settings/schema.ts";
import { hashPassword } from "../../store/passwords/password-hash.ts";
import { openAnySchema } from "../../store/schemas.ts";
import { prepareCertificate } from "../set-up/certificate.ts";
import { prepareDatabases } from "../set-up/databases.ts";

/**
 * The services that run: enough for a sign-in and for the bans. No Postfix and no keeper, so no mail can be sent; aliases are
 * looked up anyway.
 */
export const RUN: readonly ServiceName[] = ["guard", "dovecot"];
const RENDERED: readonly ServiceName[] = ["postfix", "dovecot"];
const READY_MS = 60 * SECOND_MS;
const LOOK_MS = 100;
const PROBE_MS = 2 * SECOND_MS;

/**
 * The first process of the namespaces that `runSecondServer` creates. Puts the restored directory in the place of the real one,
 * which then cannot be reached, prepares it as a start does, and starts the guard and Dovecot in it.
 */
export async function serveScratch(layout: Layout, scratch: string, given: Environment): Promise<SecondServer> {
  const from = performance.now();
  await mountOverData(layout, scratch);
  const signIn = await giveTestPassword(layout);
  // Allows the sign-in, which comes from this machine.
  const env = { ...given, [variableOf("logins.networks")]: "[]" };
  const read = readSettings(layout, env);
  const { settings } = read;
  writeFirstSettings(layout, read);
  makeDirectories(layout);
  await prepareCertificate(settings, layout);
  makeSecrets(layout);
  const environment = programEnvironment(layout, env);
  await prepareDatabases(layout, null, environment);
  // Omits the owner's own settings of Dovecot, which could name paths outside of the copy.
  const site = { ...withoutLostKey(readSite(read, layout)), ownDovecot: "", ownDovecotUnused: null };
  const applied = await applyConfiguration(site, { only: RENDERED });
  if (!applied.ok) throw new SetUpFailure(applied.reason);
  writeEnvironment(layout.environment, environment);
  const netAdmin = hasNetAdmin();
  const mail = mailServices(layout, { spam: 0, fail2ban: false });
  writeServices({ layout, netAdmin, mail, export: false });
  for (const service of SERVICES) if (!RUN.includes(service)) removeTree(join(layout.services, service));
  runsvdir(layout);
  await untilReady(layout, settings);
  const startMs = Math.round(performance.now() - from);
  return {
    ...(await inspectServer(layout, settings, { signIn, hasFirewall: netAdmin && settings["firewall.enabled"] })),
    startMs,
  };
}

/** All mounts are visible only to this process and its children, and end with it. */
async function mountOverData({ data, program }: Layout, scratch: string): Promise<void> {
  const inScratch = join(scratch, "program");
  makeDirectory(inScratch, 0o755);
  await runOrThrow("mount", ["--bind", program, inScratch]);
  await runOrThrow("mount", ["--rbind", scratch, data]);
  // Hides the sockets of the machine's other programs.
  if (!data.startsWith("/run/")) await runOrThrow("mount", ["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"]);
  await runOrThrow("ip", ["link", "set", "lo", "up"]);
}

async function runOrThrow(program: string, args: readonly string[]): Promise<void> {
  const ran = await runProgram(program, args);
  if (ran.code !== 0) throw new CannotBeApart(`${program} failed: ${lastLines(ran)}`);
}

async function untilReady(layout: Layout, settings: Settings): Promise<void> {
  const port = { host: "127.0.0.1", port: settings["ports.imaps"], localAddress: "127.0.0.1" };
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const guard = await ask(layout.controlSocket, { by: "root" }, { verb: "ping" });
    const imap = await exchange(port, IMAP, PROBE_MS);
    if (guard.ok && imap.ok) return;
    if (performance.now() > deadline) {
      const service = guard.ok ? "dovecot" : "guard";
      const last = lastLogLine(layout, service) ?? "nothing";
      throw new SetUpFailure(`its ${service} was not ready after ${READY_MS / SECOND_MS} s; last log line: ${last}`);
    }
    await pause(LOOK_MS);
  }
}

/** Maximum aliases, and maximum bans, that are checked. */
const SAMPLE = 100;
const SIGN_IN_MS = 30 * SECOND_MS;
/** After its start the guard fills the kernel's sets. */
const ENFORCED_MS = 20 * SECOND_MS;
const PASSAGE_MS = 200;

export type TestAccount = Readonly<{ account: string; password: string }>;

/**
 * No password is known here, so one account of the restored copy gets a new one, before anything runs there. Null if no account
 * may sign in from everywhere.
 */
export async function giveTestPassword({ accountsDb }: Layout): Promise<TestAccount | null> {
  const password = randomBytes(16).toString("hex");
  using db = new DatabaseSync(accountsDb);
  const account = db
    .prepare(
      "SELECT user FROM passdb WHERE user NOT IN (SELECT account FROM account_network) ORDER BY random() LIMIT 1",
    )
    .get()?.["user"];
  if (typeof account !== "string") return null;
  db.prepare("UPDATE account SET password = ? WHERE name = ?").run(await hashPassword(password), account);
  return { account, password };
}

/** Asks the running second server for everything that can be compared. Throws SetUpFailure for what does not work. */
export async function inspectServer(
  layout: Layout,
  settings: Settings,
  { signIn, hasFirewall }: Readonly<{ signIn: TestAccount | null; hasFirewall: boolean }>,
): Promise<Omit<SecondServer, "startMs">> {
  const mailboxes = new Mailboxes(layout.dovecotConf);
  const mails: Record<string, number> = {};
  // Dovecot rebuilds its indexes from the mails.
  for (const { name } of rows(layout.accountsDb, "SELECT name FROM account ORDER BY name"))
    mails[String(name)] = await mailboxes.mailCount(String(name));
  if (signIn !== null) await checkSignIn(settings["ports.imaps"], signIn);
  return {
    mails,
    signedIn: signIn?.account ?? null,
    aliases: await checkAliases(layout, settings.domains),
    bans: hasFirewall ? await checkBans(layout, settings["bans.ipv6_prefix"]) : null,
  };
}

/** Signs in over TLS, through the guard's login policy, and opens the INBOX. */
async function checkSignIn(port: number, { account, password }: TestAccount): Promise<void> {
  const said = await exchange(
    { host: "127.0.0.1", port, localAddress: "127.0.0.1" },
    {
      tls: true,
      question: `a LOGIN "${account}" "${password}"\r\nb EXAMINE INBOX\r\n`,
      isAnswer: (text) => /^b OK/m.test(text),
      isRefusal: (text) => /^[ab] (?:NO|BAD)/m.test(text),
      goodbye: "c LOGOUT\r\n",
    },
    SIGN_IN_MS,
  );
  if (!said.ok) throw new SetUpFailure(`${account} could not sign in: Dovecot ${said.says}`);
}

/** Looks aliases up as Postfix does, in the tables that it would read (postmap(1)). Returns how many. */
async function checkAliases({ accountsDb, postfixConf }: Layout, domains: readonly string[]): Promise<number> {
  const known = rows(
    accountsDb,
    "SELECT address, targets FROM alias_map WHERE address IN (SELECT address FROM alias) ORDER BY random()",
  )
    .map(({ address, targets }) => ({ address: String(address), targets: String(targets) }))
    .filter(({ address }) => domains.includes(domainOf(address)))
    .slice(0, SAMPLE);
  if (known.length === 0) return 0;
  const asked = ["-c", postfixConf, "-q", "-", `sqlite:${join(postfixConf, TABLES.aliases.file)}`];
  // Not root, because SQLite opens and creates files by name, in a directory of the guard's user.
  const reader = { uid: userIds("postfix").uid, gid: groupId(USERS.accountsGroup) };
  const input = known.map(({ address }) => `${address}\n`).join("");
  const ran = await runProgram("postmap", asked, { ...reader, input });
  const found = new Set(ran.stdout.split("\n"));
  const wrong = known.find(({ address, targets }) => !found.has(`${address}\t${targets}`));
  // postmap(1) also exits with 1 if it finds nothing.
  if (ran.code > 1 || ran.stderr.includes("fatal: ")) throw new SetUpFailure(`postmap failed: ${lastLines(ran)}`);
  if (wrong !== undefined) throw new SetUpFailure(`Postfix does not forward ${wrong.address} to ${wrong.targets}`);
  return known.length;
}

/** Waits until bans that will last a while are in the second server's own firewall. Returns how many. */
async function checkBans({ engineDb }: Layout, ipv6Length: number): Promise<number> {
  const inForce = "simulated = 0 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?)";
  const sample = rows(
    engineDb,
    `SELECT prefix FROM ban WHERE ${inForce} ORDER BY random() LIMIT ${SAMPLE}`,
    Date.now() + MINUTE_MS,
  )
    .map(({ prefix }) => parsePrefix(String(prefix)))
    .filter((prefix) => prefix !== null);
  const firewall = new NftFirewall(() => onlyBans(ipv6Length));
  const deadline = performance.now() + ENFORCED_MS;
  for (;;) {
    const held = await firewall.holds(sample);
    if (held.ok) return sample.length;
    if (performance.now() > deadline) throw new SetUpFailure(`Not all of its bans are in force: ${held.reason}`);
    await pause(PASSAGE_MS);
  }
}

function rows(path: string, sql: string, ...values: readonly number[]) {
  // The second server's guard has it open.
  using db = openAnySchema(path);
  return db.prepare(sql).all(...values);
}
