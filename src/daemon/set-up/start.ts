/** `npm start` as root, once everything is installed: prepares the data directory and runs the whole server. */
import { readFileSync } from "node:fs";
import { readServiceEnvironment } from "../../adapters/machine/service-environment.ts";
import { UnsafePath } from "../../adapters/root-files/unsafe-path.ts";
import { plural } from "../../core/text.ts";
import { takenOver } from "../../settings/first-variables.ts";
import { DEFAULT_DATA_DIRECTORY, type Layout, layoutOf } from "../../settings/layout.ts";
import type { Environment } from "../../settings/load.ts";
import type { Settings } from "../../settings/schema.ts";
import { adoptFilters } from "./adopt-filters.ts";
import { printRunning, settingsNews } from "./announce.ts";
import { applyConfiguration } from "./apply.ts";
import { prepareCertificate } from "./certificate.ts";
import { CHECKOUT } from "./checkout.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import { prepareDatabases } from "./databases.ts";
import { makeDirectories } from "./directories.ts";
import { diskTrouble } from "./disk-trouble.ts";
import { SetUpFailure } from "./failure.ts";
import { releaseLock, takeLock } from "./lock.ts";
import { type Ended, endOrphans } from "./orphans.ts";
import { portsOf, refuseBusyPorts } from "./ports.ts";
import { installPrograms } from "./program.ts";
import { waitUntilReady } from "./ready.ts";
import {
  type AdminPassword,
  adminPassword,
  makeLoginPolicySecret,
  makeProofWord,
  rememberAdminPassword,
} from "./secrets.ts";
import { readSettings, type ValidSettings, writeFirstSettings } from "./settings-file.ts";
import { compileSieve } from "./sieve.ts";
import { readSite } from "./site.ts";
import { StartLog } from "./start-log.ts";
import { RESTART_SIGNAL } from "./stop.ts";
import { programEnvironment, startSupervisor, stopEverything, writeEnvironment, writeServices } from "./supervise.ts";
import { addUsers } from "./users.ts";

/** Bit of CAP_NET_ADMIN in a capability set (capabilities(7)). */
const CAP_NET_ADMIN = 12n;

/** A start that follows `restart`: the same process, which still holds the lock. */
const AGAIN = "--again";

const stop = stopSignal();
const code = await main();
if (stop.wish() === "restart") startAgain();
process.exitCode = code;

async function main(): Promise<number> {
  let layout: Layout | null = null;
  const log = new StartLog();
  try {
    if (process.getuid?.() !== 0) throw new SetUpFailure("GhostInbox must be started by root.");
    const data = (process.env["GHOSTINBOX_DATA"] ?? "").replace(/(.)\/+$/, "$1") || DEFAULT_DATA_DIRECTORY;
    prepareDataDirectory(data);
    const wanted = layoutOf(data);
    if (process.argv.includes(AGAIN)) releaseLock(wanted.startPid);
    takeLock(wanted.startPid, data);
    layout = wanted;
    outliveTerminal(layout, log);
    tellEnded(await endOrphans(data), log);
    const started = readServiceEnvironment(layout.environment);
    const read = await readSettings(layout, takenOver(process.env, started));
    const password = await prepare(layout, read, { started, log });
    if (stop.asked()) return 130;
    return await runServices(layout, read.settings, { password, log });
  } catch (error) {
    const isTold = error instanceof SetUpFailure || error instanceof UnsafePath;
    const says = isTold ? error.message : diskTrouble(error);
    if (says === null) throw error;
    log.fail(says);
    return 1;
  } finally {
    if (layout !== null && stop.wish() !== "restart") releaseLock(layout.startPid);
  }
}

function tellEnded({ count, left }: Ended, log: StartLog): void {
  if (count > 0) log.say(`Ended ${plural(count, "process", "processes")} that an earlier start left behind.`);
  if (left.length > 0)
    log.warn(
      `processes of an earlier start do not end; what they wait for: ps -o pid,user,wchan,args -p ${left.join()}`,
    );
}

/**
 * A closed terminal, such as a lost connection of ssh, hangs up (SIGHUP). Mail goes on: the supervisor is in its own
 * session, and this process stays to stop it in order.
 */
function outliveTerminal({ startLog }: Layout, log: StartLog): void {
  // Whatever is written to a terminal that is gone fails.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  log.open(startLog);
  process.on("SIGHUP", () => {
    log.isOnly = true;
    log.note(`The terminal was closed: GhostInbox keeps running (pid ${process.pid}). \`./ghostinbox stop\` stops it.`);
  });
}

type Stop = Readonly<{ asked: () => boolean; wish: () => "stop" | "restart" | null; promise: Promise<void> }>;

/** The first Ctrl-C or TERM, or `restart`; later ones change only whether it starts again: after a stop it does not. */
function stopSignal(): Stop {
  let wish: "stop" | "restart" | null = null;
  const promise = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", RESTART_SIGNAL] as const) {
      process.on(name, () => {
        if (name !== RESTART_SIGNAL) wish = "stop";
        else wish ??= "restart";
        resolve();
      });
    }
  });
  return { asked: () => wish !== null, wish: () => wish, promise };
}

/** The same process runs the start again: its environment, terminal, and pid stay, for whatever supervises it. */
function startAgain(): void {
  const script = process.argv[1] ?? "";
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, script, AGAIN], process.env);
}

/** Everything that must exist before the first service starts. */
async function prepare(
  layout: Layout,
  read: ValidSettings,
  { started, log }: Readonly<{ started: Environment; log: StartLog }>,
): Promise<AdminPassword> {
  const { settings } = read;
  await addUsers();
  for (const warning of makeDirectories(layout)) log.warn(warning);
  const written = writeFirstSettings(layout, read);
  for (const line of settingsNews(layout, read, written)) log.say(line);
  const outdated = await prepareCertificate(settings, layout);
  if (outdated !== null) log.warn(outdated);
  makeLoginPolicySecret(layout);
  makeProofWord(layout);
  await refuseBusyPorts(portsOf(settings));
  await installPrograms(CHECKOUT, layout);
  const password = await adminPassword(layout, process.env);
  if (stop.asked()) return password;
  const environment = programEnvironment(layout, takenOver(process.env, started, written));
  await prepareDatabases(layout, password.hash, environment);
  const { refused } = await adoptFilters(CHECKOUT, layout);
  for (const { file, reason } of refused) log.warn(`${file} was refused: ${reason}.`);
  const applied = await applyConfiguration(readSite(read, layout));
  if (!applied.ok) throw new SetUpFailure(applied.reason);
  await compileSieve(layout);
  writeEnvironment(layout.environment, environment);
  writeServices({
    layout,
    environment: layout.environment,
    netAdmin: hasNetAdmin(),
    spam: settings["spam.enabled"],
    fail2ban: settings["fail2ban.enabled"],
    webLowPort: settings["ports.http"] < 1024,
  });
  return password;
}

const PASSWORD_UNSEEN = "The dashboard has a password that nobody saw: `./ghostinbox admin passwd` sets another one.";

type Told = Readonly<{ password: AdminPassword; log: StartLog }>;

async function runServices(layout: Layout, settings: Settings, { password, log }: Told): Promise<number> {
  if (!hasNetAdmin())
    log.warn("no CAP_NET_ADMIN here, so bans are kept by Postfix and Dovecot alone and not by the firewall.");
  const supervisor = startSupervisor(layout.services);
  const died = new Promise<"died">((resolve) => {
    for (const event of ["exit", "error"]) supervisor.once(event, () => resolve("died"));
  });
  const asked = stop.promise.then(() => "asked" as const);
  const ready = waitUntilReady(layout, portsOf(settings), stop.asked);
  const first = await Promise.race([ready, died, asked]);
  let end: "asked" | "died" | "failed";
  if (first === "died" || first === "asked") {
    end = first;
  } else if (!first.ok) {
    log.fail(first.reason);
    end = "failed";
  } else {
    printRunning(layout, settings, password.printed);
    log.note(`GhostInbox runs as ${settings.hostname}.`);
    if (log.isOnly && password.printed !== null) log.note(PASSWORD_UNSEEN);
    rememberAdminPassword(layout);
    end = await Promise.race([died, asked]);
  }
  if (end === "died") log.fail("the supervisor runsvdir ended; stopping everything.");
  else log.say("Stopping ...");
  await stopEverything(layout, end === "died" ? null : (supervisor.pid ?? null));
  if (end === "asked") log.say("GhostInbox has stopped.");
  return end === "asked" ? 0 : 1;
}

function hasNetAdmin(): boolean {
  const sets = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${sets}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}
