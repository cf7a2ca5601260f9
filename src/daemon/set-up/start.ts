/** `npm start` as root, once everything is installed: prepares the data directory and runs the whole server. */
import { readFileSync } from "node:fs";
import { UnsafePath } from "../../adapters/root-files/unsafe-path.ts";
import { DEFAULT_DATA_DIRECTORY, type Layout, layoutOf } from "../../settings/layout.ts";
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
import { readSettings, type ValidSettings, withoutVariables, writeFirstSettings } from "./settings-file.ts";
import { compileSieve } from "./sieve.ts";
import { readSite } from "./site.ts";
import { programEnvironment, startSupervisor, stopEverything, writeEnvironment, writeServices } from "./supervise.ts";
import { addUsers } from "./users.ts";

/** Bit of CAP_NET_ADMIN in a capability set (capabilities(7)). */
const CAP_NET_ADMIN = 12n;

process.exitCode = await main();

async function main(): Promise<number> {
  const stop = stopSignal();
  let layout: Layout | null = null;
  try {
    if (process.getuid?.() !== 0) throw new SetUpFailure("GhostInbox must be started by root.");
    const data = (process.env["GHOSTINBOX_DATA"] ?? "").replace(/(.)\/+$/, "$1") || DEFAULT_DATA_DIRECTORY;
    prepareDataDirectory(data);
    const wanted = layoutOf(data);
    takeLock(wanted.startPid, data);
    layout = wanted;
    tellEnded(await endOrphans(data));
    const read = await readSettings(layout, process.env);
    const password = await prepare(layout, read, stop);
    if (stop.asked()) return 130;
    return await runServices(layout, read.settings, password, stop);
  } catch (error) {
    const isTold = error instanceof SetUpFailure || error instanceof UnsafePath;
    const says = isTold ? error.message : diskTrouble(error);
    if (says === null) throw error;
    console.error(`ghostinbox: ${says}`);
    return 1;
  } finally {
    if (layout !== null) releaseLock(layout.startPid);
  }
}

function tellEnded({ count, left }: Ended): void {
  if (count > 0) console.log(`Ended ${count} processes that an earlier start left behind.`);
  if (left.length > 0)
    console.error(
      `ghostinbox: warning: processes of an earlier start do not end; what they wait for: ps -o pid,user,wchan,args -p ${left.join()}`,
    );
}

type Stop = Readonly<{ asked: () => boolean; promise: Promise<void> }>;

/** The first Ctrl-C or TERM; later ones change nothing, because stopping has begun. */
function stopSignal(): Stop {
  let asked = false;
  const promise = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.on(name, () => {
        asked = true;
        resolve();
      });
    }
  });
  return { asked: () => asked, promise };
}

/** Everything that must exist before the first service starts. */
async function prepare(layout: Layout, read: ValidSettings, stop: Stop): Promise<AdminPassword> {
  const { settings } = read;
  await addUsers();
  for (const warning of makeDirectories(layout)) console.error(`ghostinbox: warning: ${warning}`);
  const written = writeFirstSettings(layout, read);
  for (const line of settingsNews(layout, read, written)) console.log(line);
  const outdated = await prepareCertificate(settings, layout);
  if (outdated !== null) console.error(`ghostinbox: warning: ${outdated}`);
  makeLoginPolicySecret(layout);
  makeProofWord(layout);
  await refuseBusyPorts(portsOf(settings));
  await installPrograms(CHECKOUT, layout);
  const password = await adminPassword(layout, process.env);
  if (stop.asked()) return password;
  const environment = programEnvironment(layout, withoutVariables(process.env, written));
  await prepareDatabases(layout, password.hash, environment);
  const { refused } = await adoptFilters(CHECKOUT, layout);
  for (const { file, reason } of refused) console.error(`ghostinbox: warning: ${file} was refused: ${reason}.`);
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

async function runServices(layout: Layout, settings: Settings, password: AdminPassword, stop: Stop): Promise<number> {
  if (!hasNetAdmin()) {
    console.error(
      "ghostinbox: warning: no CAP_NET_ADMIN here, so bans are kept by Postfix and Dovecot alone and not by the firewall.",
    );
  }
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
    console.error(`ghostinbox: ${first.reason}`);
    end = "failed";
  } else {
    printRunning(layout, settings, password.printed);
    rememberAdminPassword(layout);
    end = await Promise.race([died, asked]);
  }
  if (end === "died") console.error("ghostinbox: the supervisor runsvdir ended; stopping everything.");
  else console.log("Stopping ...");
  await stopEverything(layout, end === "died" ? null : (supervisor.pid ?? null));
  if (end === "asked") console.log("GhostInbox has stopped.");
  return end === "asked" ? 0 : 1;
}

function hasNetAdmin(): boolean {
  const sets = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${sets}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}
