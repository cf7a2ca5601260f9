/** Prepares the data directory and runs the server, once all is installed: as root, for `npm start` or the systemd unit (start.ts). */
import { existsSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { plural } from "../../core/text.ts";
import { instant } from "../../core/time.ts";
import { TABLE } from "../../host/firewall/guard-table.ts";
import { applyIsolation, clearIsolation, isIsolationApplied, readIsolation } from "../../host/firewall/isolation.ts";
import { localPorts, protectLocalPorts } from "../../host/firewall/local-ports.ts";
import { startStrict } from "../../host/firewall/strict.ts";
import { STRICT_TABLE } from "../../host/firewall/strict-rules.ts";
import { collectGarbage } from "../../host/machine/late-flags.ts";
import { readServiceEnvironment } from "../../host/machine/settings-text.ts";
import { UnsafePath } from "../../host/root-files/directory.ts";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { containerWarnings, dropShellZone, hasNetAdmin } from "../../host/running/container.ts";
import { prepareDataDirectory, releaseLock, takeLock, usedElsewhere } from "../../host/running/data-directory.ts";
import { diskTrouble, SetUpFailure } from "../../host/running/failure.ts";
import { busyPorts, portsOf, type ServerPort } from "../../host/running/ports.ts";
import { endOrphans, runsForAnother } from "../../host/running/processes.ts";
import { memoryHere } from "../../host/running/read-processes.ts";
import { StartLog, waitUntilReady } from "../../host/running/ready.ts";
import { RESTART_SIGNAL, removeTables } from "../../host/running/stop.ts";
import {
  finishEnvironment,
  programEnvironment,
  runsvdir,
  systemd,
  writeEnvironment,
  writeServices,
} from "../../host/running/supervise.ts";
import { notifyReady, othersStopped, renewUnits, stopUnits, whyNotByUnits } from "../../host/running/units.ts";
import { finishRestore } from "../../jobs/backup/replace-contents.ts";
import { takeRestoredQueue } from "../../jobs/backup/restored-queue.ts";
import { installPrograms } from "../../jobs/build/program.ts";
import { startAfresh } from "../../jobs/build/run-kept.ts";
import {
  readSettings,
  recordInForce,
  settingsWithEdits,
  writeFirstSettings,
} from "../../jobs/settings-file/settings-file.ts";
import { finishRollback } from "../../jobs/upgrade/rollback.ts";
import {
  describeSnapshot,
  makeUpgradeSnapshot,
  noteUpgraded,
  refuseUnfitData,
} from "../../jobs/upgrade/upgrade-snapshot.ts";
import { applyConfiguration, compileSieve, makeSecrets } from "../../mail/configuration/apply.ts";
import { addUsers, makeDirectories } from "../../mail/configuration/directories.ts";
import { mailServices } from "../../mail/configuration/mail-services.ts";
import { mailCryptOf, readSite, textInForce } from "../../mail/configuration/site.ts";
import { whyNoNewKeys, withoutLostKey } from "../../mail/dovecot/mail-keys.ts";
import { adoptFilters } from "../../mail/fail2ban/adopt-filters.ts";
import { takenOver } from "../../settings/first-variables.ts";
import { DEFAULT_DATA_DIRECTORY, type Layout, layoutOf } from "../../settings/layout.ts";
import type { Environment, ValidSettings } from "../../settings/load.ts";
import type { Settings } from "../../settings/schema.ts";
import { type AdminPassword, adminPassword, rememberAdminPassword } from "../../store/passwords/admin-password.ts";
import { memoryNotes, runningText, settingsNotes } from "./announce.ts";
import { prepareCertificate } from "./certificate.ts";
import { prepareDatabases, preparing } from "./databases.ts";

/** A start that follows `restart`: the same process, which still holds the lock. */
const AGAIN = "--again";
/** systemd has a unit for each service (`host/running/systemd.ts`). Otherwise runsvdir(8) runs them. */
const BY_SYSTEMD = process.argv.includes("--systemd");

const PASSWORD_UNSEEN =
  "The dashboard has a password that was never shown: `./ghostinbox admin passwd` sets a new one.";
const SNAPSHOT_MADE =
  "The databases are being upgraded. `./ghostinbox rollback` goes back to the snapshot of them and the settings from";

dropShellZone(process.env);
const stop = stopSignal();
const code = await main();
if (stop.wish() === "restart") startAfresh(BY_SYSTEMD ? ["--systemd", AGAIN] : [AGAIN]);
process.exitCode = code;

async function main(): Promise<number> {
  let layout: Layout | null = null;
  const log = new StartLog();
  try {
    if (process.getuid?.() !== 0) throw new SetUpFailure("GhostInbox must be started by root.");
    const data = (process.env["GHOSTINBOX_DATA"] ?? "").replace(/(.)\/+$/, "$1") || DEFAULT_DATA_DIRECTORY;
    const elsewhere = BY_SYSTEMD ? whyNotByUnits(layoutOf(data)) : null;
    if (elsewhere !== null) throw new SetUpFailure(elsewhere);
    if (finishRestore(data)) log.say("An interrupted restore was completed.");
    prepareDataDirectory(data);
    const wanted = layoutOf(data);
    const used = await usedElsewhere(wanted);
    if (used !== null) throw new SetUpFailure(used);
    if (process.argv.includes(AGAIN)) releaseLock(wanted.startPid);
    const running = takeLock(wanted.startPid);
    if (running !== null)
      throw new SetUpFailure(
        `GhostInbox is already running (pid ${running}, data ${data}): see \`./ghostinbox status\`.`,
      );
    layout = wanted;
    outliveTerminal(layout, log);
    // Printed before a step fails because a capability is missing.
    for (const warning of containerWarnings()) log.warn(warning);
    // Done before anything else of this version, even before processes of an earlier start are ended.
    if (finishRollback(layout)) log.say("An interrupted rollback was completed.");
    await closeAsRecorded(layout);
    refuseUnfitData(layout);
    if (BY_SYSTEMD) {
      // `systemctl restart` and a reboot bring a new version too.
      const renewed = await renewUnits({ checkout: CHECKOUT, layout, node: process.execPath });
      if (!renewed.ok) log.warn(`systemd's units could not be updated: ${renewed.reason}`);
      for (const unit of othersStopped())
        log.warn(`${unit} is stopped at each start because its name starts with ghostinbox-: rename it.`);
      await stopUnits();
    }
    const { count, left } = await endOrphans(data);
    if (count > 0) log.say(`Ended ${plural(count, "process")} that an earlier start left behind.`);
    const see = `To see what blocks them: ps -o pid,user,wchan,args -p ${left.join()}`;
    if (left.length > 0) log.warn(`processes left by an earlier start do not exit. ${see}`);
    const snapshot = await makeUpgradeSnapshot(layout, instant(Date.now()));
    if (snapshot !== null) log.say(`${SNAPSHOT_MADE} ${describeSnapshot(snapshot)}.`);
    finishEnvironment(layout.environment);
    const started = readServiceEnvironment(layout.environment);
    const read = readSettings(layout, takenOver(process.env, started));
    const prepared = await prepare(layout, read, { started, log });
    if (stop.asked()) return 130;
    return await runServices(layout, prepared, log);
  } catch (error) {
    const isExplained = error instanceof SetUpFailure || error instanceof UnsafePath;
    const says = isExplained ? error.message : diskTrouble(error);
    if (says === null) throw error;
    // Ctrl-C also ends the programs that set-up runs. That is no failure, but may be why it was pressed.
    if (stop.asked()) log.note(`stopped before everything ran: ${says}`);
    if (stop.asked()) return 130;
    log.fail(says);
    return error instanceof SetUpFailure ? error.exitCode : 1;
  } finally {
    // Only at a stop: a start that fails, or starts again at once, leaves no port open.
    if (layout !== null && stop.wish() === "stop") await open(layout, STRICT_TABLE, log);
    if (layout !== null && stop.wish() !== "restart") releaseLock(layout.startPid);
  }
}

/**
 * A closed terminal, such as a lost connection of ssh, hangs up (SIGHUP). The server keeps running: the supervisor is in its own
 * session, and this process stays to stop it in order.
 */
function outliveTerminal({ startLog }: Layout, log: StartLog): void {
  // Writing to a closed terminal fails.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  log.open(startLog);
  process.on("SIGHUP", () => {
    log.isTerminalGone = true;
    log.note(`The terminal was closed: GhostInbox keeps running (pid ${process.pid}). \`./ghostinbox stop\` stops it.`);
  });
}

/** `promise` resolves at the first Ctrl-C, TERM or `restart`. A stop wins over a `restart`, even an earlier one. */
function stopSignal() {
  let wish: "stop" | "restart" | null = null;
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const name of ["SIGINT", "SIGTERM", RESTART_SIGNAL] as const)
    process.on(name, () => {
      if (name !== RESTART_SIGNAL) wish = "stop";
      else wish ??= "restart";
      resolve();
    });
  return { asked: () => wish !== null, wish: () => wish, promise };
}

/** `awaited`: the ports that the server will open. `mayWait`: those of them that it does not need for mail. */
type Ports = Readonly<{ awaited: readonly ServerPort[]; mayWait: readonly ServerPort[] }>;
type Prepared = Readonly<{ password: AdminPassword; settings: Settings; ports: Ports }>;

/**
 * The ports that can be opened now. Throws SetUpFailure if a mail port is taken. After a reboot another user's program could be first at those
 * of the dashboard and the guard, and the dashboard's address could be missing: each is opened once it can be, and the owner is alerted. At
 * a first start the owner is present, so it fails with the reason.
 */
async function freePorts(layout: Layout, settings: Settings, log: StartLog): Promise<Ports> {
  const all = portsOf(settings);
  const busy = await busyPorts(all);
  // Without the firewall, Dovecot would trust any program that answers at the guard's port.
  const waiting = isFirewallOurs(layout, settings) ? ["web", "guard"] : ["web"];
  const mayWait = all.filter(({ service }) => existsSync(layout.engineDb) && waiting.includes(service));
  for (const { serverPort, says } of busy) {
    if (!mayWait.includes(serverPort)) throw new SetUpFailure(says);
    log.warn(says);
  }
  return { awaited: all.filter((one) => !busy.some(({ serverPort }) => serverPort === one)), mayWait };
}

function isFirewallOurs({ data }: Layout, settings: Settings): boolean {
  return settings["firewall.enabled"] && hasNetAdmin() && !runsForAnother(data);
}

/** Everything that must exist before the first service starts. */
async function prepare(
  layout: Layout,
  first: ValidSettings,
  { started, log }: Readonly<{ started: Environment; log: StartLog }>,
): Promise<Prepared> {
  await addUsers();
  const isFirst = !existsSync(layout.engineDb);
  // Done first, because the next start recognises the directory as ours by this file.
  const written = writeFirstSettings(layout, first);
  const env = takenOver(process.env, started, written);
  const read = settingsWithEdits(layout, env, (line) => log.say(line));
  const { settings } = read;
  const noKeys = whyNoNewKeys({ mailCrypt: mailCryptOf(settings, layout), layout });
  if (isFirst && noKeys !== null) throw new SetUpFailure(noKeys);
  if (noKeys !== null) log.warn(`new mail is not encrypted as the settings say. ${noKeys}`);
  for (const warning of makeDirectories(layout)) log.warn(warning);
  for (const line of [...settingsNotes(layout, read, written, first.sources), ...memoryNotes(read, memoryHere())])
    log.say(line);
  const open = await startStrict(layout, settings);
  if (open !== null) log.warn(open);
  await isolate(layout, settings, log);
  const outdated = await prepareCertificate(settings, layout);
  if (outdated !== null) log.warn(outdated);
  makeSecrets(layout);
  const ports = await freePorts(layout, settings, log);
  await installPrograms(layout);
  const password = await adminPassword(layout, process.env);
  const prepared = { password, settings, ports };
  if (stop.asked()) return prepared;
  const environment = programEnvironment(layout, env);
  try {
    const waits = (elapsedMs: number): void => log.progress(preparing(layout, elapsedMs));
    await prepareDatabases(layout, password, environment, { waits, isStopped: stop.asked });
  } finally {
    log.endProgress();
  }
  if (stop.asked()) return prepared;
  if (password.printed === null) rememberAdminPassword(layout, password);
  for (const { file, reason } of (await adoptFilters(CHECKOUT, layout)).refused)
    log.warn(`${file} was refused: ${reason}.`);
  const inForce = textInForce(settings, layout, (line) => log.warn(line));
  const site = readSite(read, layout, inForce);
  const applied = await applyConfiguration(withoutLostKey(site), { isStarting: true });
  if (!applied.ok) throw new SetUpFailure(applied.reason);
  if (applied.unused !== null) log.warn(`Dovecot runs without your settings: ${applied.unused}.`);
  if (isFirewallOurs(layout, settings)) {
    const kept = await protectLocalPorts(localPorts(settings));
    if (!kept.ok && !ports.awaited.some(({ service }) => service === "guard")) throw new SetUpFailure(kept.reason);
    if (!kept.ok) log.warn(`other users' programs can answer in place of the guard and the dashboard: ${kept.reason}.`);
  }
  await compileSieve(layout);
  // Written before the queue is taken: afterwards nothing else shows that the settings file decides.
  writeEnvironment(layout.environment, environment);
  const restored = await takeRestoredQueue(layout);
  if (restored > 0) log.say(`The restored queue holds ${plural(restored, "mail")}.`);
  recordInForce(layout, read.text);
  writeServices({
    layout,
    netAdmin: hasNetAdmin(),
    export: settings["export.syslog.enabled"],
    mail: mailServices(layout, {
      spam: settings["spam.enabled"] ? settings["spam.processes"] : 0,
      fail2ban: settings["fail2ban.enabled"],
    }),
  });
  return prepared;
}

/** Runs before the settings are read: a start that fails must leave the firewall strict and the machine isolated. */
async function closeAsRecorded(layout: Layout): Promise<void> {
  const isolation = readIsolation(layout);
  // A table of the last run stays, because it knows the settings.
  if (isolation !== null && !(await isIsolationApplied())) await applyIsolation(isolation, null);
  await startStrict(layout, null);
}

async function isolate(layout: Layout, settings: Settings, log: StartLog): Promise<void> {
  const isolation = readIsolation(layout);
  if (isolation === null) {
    // Removes the table that an interrupted lift has left. If nft(8) cannot run, there is none.
    if (!runsForAnother(layout.data)) await clearIsolation();
    return;
  }
  const blocked = await applyIsolation(isolation, settings);
  log.warn(
    blocked.ok
      ? "the server is isolated: see `./ghostinbox incident list`."
      : `connections are not blocked: ${blocked.reason}.`,
  );
}

async function open({ data }: Layout, table: string, log: StartLog): Promise<void> {
  const blocked = await removeTables(data, table);
  if (blocked !== null) log.warn(blocked);
}

async function runServices(layout: Layout, { settings, password, ports }: Prepared, log: StartLog): Promise<number> {
  if (!hasNetAdmin()) log.warn("no CAP_NET_ADMIN here, so only Postfix and Dovecot enforce bans, not the firewall.");
  log.say("Starting ...");
  const supervisor = BY_SYSTEMD ? await systemd(layout) : runsvdir(layout);
  let end: "asked" | "died" | "failed";
  try {
    const { died } = supervisor;
    const asked = stop.promise.then(() => "asked" as const);
    const warn = log.warn.bind(log);
    const ready = waitUntilReady(layout, ports.awaited, stop.asked, { mayWait: ports.mayWait, warn });
    const first = await Promise.race([ready, died, asked]);
    if (first === "died" || first === "asked") {
      end = first;
    } else if (!first.ok) {
      log.fail(first.reason);
      end = "failed";
    } else {
      noteUpgraded(layout);
      // Not under systemd: users other than root may read a journal.
      if (!BY_SYSTEMD) console.log(runningText(layout, settings, password.printed));
      const runs = `GhostInbox runs as ${settings.hostname}.`;
      const says = BY_SYSTEMD ? log.say.bind(log) : log.note.bind(log);
      says(runs);
      if ((log.isTerminalGone || BY_SYSTEMD) && password.printed !== null) says(PASSWORD_UNSEEN);
      await notifyReady(runs);
      rememberAdminPassword(layout, password);
      collectGarbage();
      // Node writes the cache only at a regular exit, so a kill would lose it.
      flushCompileCache();
      end = await Promise.race([died, asked]);
    }
    if (end === "died") log.fail("the supervisor runsvdir ended; stopping everything.");
    else log.say("Stopping ...");
  } finally {
    await supervisor.stop();
    await open(layout, TABLE, log);
  }
  if (end === "asked") log.say("GhostInbox has stopped.");
  return end === "asked" ? 0 : 1;
}
