import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, matchesGlob } from "node:path";
import { failureOf } from "../../core/error.ts";
import type { Outcome } from "../../guard/ports.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { lastLines, runProgram } from "../machine/run-program.ts";
import { removeFile, writeFile } from "../root-files/files.ts";
import { SetUpFailure } from "./failure.ts";
import { namesOf } from "./processes.ts";
import { SERVICES } from "./runit.ts";
import { MAIL_LOG_UNIT, MAIN_UNIT, OTHER_UNITS, renderUnits, UNIT_HEAD, unitOf, VARIABLES_FILE } from "./systemd.ts";

/** Units get 20 s to end, and are then killed. */
const SYSTEMCTL_MS = 120_000;

/** Starts the unit of each service that the settings enable, without waiting until they run. */
export async function startUnits({ services }: Pick<Layout, "services">): Promise<void> {
  const wanted = SERVICES.filter((service) => existsSync(join(services, service)));
  await systemctlOrThrow(["start", "--no-block", ...wanted.map(unitOf), MAIL_LOG_UNIT]);
}

/** Stops the units, and waits until none runs. systemd does not know processes without a unit, such as those of a start in a terminal. */
export async function stopUnits(): Promise<void> {
  await systemctlOrThrow(["stop", OTHER_UNITS]);
}

/** The owner's own units that `stopUnits` also stops, because of their names. Ignores empty ones, which are masked. */
export function othersStopped(directory: string = UNIT_DIRECTORY): readonly string[] {
  const ours = [MAIL_LOG_UNIT, ...SERVICES.map(unitOf)];
  const named = readdirSync(directory).filter((name) => matchesGlob(name, OTHER_UNITS) && !ours.includes(name));
  return named.filter((name) => textOrNothing(join(directory, name)) !== "" && !isOurs(join(directory, name)));
}

/** Notifies systemd, if it started us, that the server runs (systemd-notify(1)). */
export async function notifyReady(status: string, socket = process.env["NOTIFY_SOCKET"]): Promise<void> {
  if (socket === undefined) return;
  await runProgram("systemd-notify", ["--ready", `--status=${status}`], { env: { NOTIFY_SOCKET: socket } });
}

async function systemctlOrThrow(argv: readonly string[]): Promise<void> {
  const done = await systemctl(argv);
  if (!done.ok) throw new SetUpFailure(done.reason);
}

/** Where an administrator's units are. Those of packages are below /lib. */
const UNIT_DIRECTORY = "/etc/systemd/system";
const PACKAGED_UNITS = "/lib/systemd/system";
const EVERY_DIRECTORY: readonly string[] = [UNIT_DIRECTORY, PACKAGED_UNITS];
/** No blanks, and no characters that systemd.unit(5) and systemd.syntax(7) expand. */
const PLAIN_PATH = /^[\w./+@:,~-]+$/;
const OUR_NAME = /^ghostinbox(-[a-z0-9-]+)?\.service$/;

/** Exists while systemd runs the machine (sd_booted(3)). */
export const SYSTEMD_RUNS = "/run/systemd/system";

/** `node`: the path of the runtime. */
type Installed = Readonly<{ checkout: string; layout: Layout; node: string }>;

/** Writes the units of a checkout, and makes the machine start them at boot. Starts nothing. */
export async function installUnits(of: Installed, directory: string = UNIT_DIRECTORY): Promise<Outcome> {
  const { checkout, layout, node } = of;
  const odd = [checkout, node, layout.data].find((path) => !PLAIN_PATH.test(path));
  if (odd !== undefined)
    return { ok: false, reason: `${odd} has characters that are special in a unit: choose a plainer path.` };
  const other = serverOfUnits(layout, [directory, PACKAGED_UNITS]);
  if (other !== null)
    return {
      ok: false,
      reason: `systemd already starts the server in ${other}: give \`--data ${other}\`, or stop it and remove its units with \`service uninstall\`.`,
    };
  const written = await writeUnits(of, directory);
  return written.ok ? systemctl(["enable", "--quiet", MAIN_UNIT]) : written;
}

/** Updates the installed units of this checkout and data directory to this version. Leaves others unchanged, and restarts nothing. */
export async function renewUnits(of: Installed, directory: string = UNIT_DIRECTORY): Promise<Outcome> {
  const [data] = dataOfUnits(directory);
  const isTheirs = data !== undefined && isSamePlace(data, of.layout.data);
  if (!isTheirs || !textOrNothing(join(directory, MAIN_UNIT)).includes(` ${of.checkout}/src/`)) return { ok: true };
  return writeUnits({ ...of, layout: layoutOf(data) }, directory);
}

/** Writes the units that differ. After an interrupted renewal, systemd may not have read files that are already up to date. */
async function writeUnits({ checkout, layout, node }: Installed, directory: string): Promise<Outcome> {
  const compileCache = join(checkout, "node_modules", ".cache", "ghostinbox");
  const units = renderUnits({ layout, node, checkout, compileCache });
  const foreign = units.map(({ name }) => join(directory, name)).find((file) => existsSync(file) && !isOurs(file));
  if (foreign !== undefined)
    return { ok: false, reason: `${foreign} was not written by GhostInbox: move it away first.` };
  const changed = units.filter(({ name, text }) => textOrNothing(join(directory, name)) !== text);
  const reason = failureOf(() => {
    for (const { name, text } of changed) writeFile(join(directory, name), text, { mode: 0o644 });
  });
  if (reason !== null) return { ok: false, reason };
  return changed.length === 0 && (await hasReadAll()) ? { ok: true } : systemctl(["daemon-reload"]);
}

async function hasReadAll(): Promise<boolean> {
  const asked = await runProgram("systemctl", ["show", "--value", "-p", "NeedDaemonReload", MAIN_UNIT, OTHER_UNITS]);
  return asked.code === 0 && !asked.stdout.includes("yes");
}

/** Variables of the main unit, including those from `systemctl edit`, as words in a line, quoted if needed. Empty without systemd. */
export async function variablesOfUnit(): Promise<string> {
  return (await runProgram("systemctl", ["show", "--value", "-p", "Environment", MAIN_UNIT])).stdout;
}

/** Stops the server, and removes the files that `installUnits` has written. Returns false if there were none. */
export async function uninstallUnits(directory: string = UNIT_DIRECTORY): Promise<Outcome & { found?: boolean }> {
  const found = unitsOf(directory);
  if (found.length === 0) return { ok: true, found: false };
  const stopped = await systemctl(["disable", "--now", "--quiet", MAIN_UNIT]);
  if (!stopped.ok) return stopped;
  for (const file of found) removeFile(file);
  const reloaded = await systemctl(["daemon-reload"]);
  return reloaded.ok ? { ok: true, found: true } : reloaded;
}

/** The data directory of another server that systemd starts, by units of a checkout or a package; null if there is none. */
export function serverOfUnits({ data }: Layout, directories = EVERY_DIRECTORY): string | null {
  const served = directories.flatMap(dataOfUnits).find((one) => existsSync(layoutOf(one).settings));
  return served === undefined || isSamePlace(served, data) ? null : served;
}

/** Says that systemd's units are for another data directory, so that it cannot start this one. Null without units, or if they fit. */
export function whyNotByUnits({ data }: Layout, directories = EVERY_DIRECTORY): string | null {
  const [own] = directories.flatMap(dataOfUnits);
  if (own === undefined || isSamePlace(own, data)) return null;
  return (
    `GHOSTINBOX_DATA names ${data}, but the units of systemd are for ${own}: remove the variable from ` +
    `${VARIABLES_FILE} or \`systemctl edit\`. To keep the data elsewhere, make ${own} a mount, or a link to a place outside of /home and /root.`
  );
}

/** Compares the last names, which are the real ones. */
function isSamePlace(a: string, b: string): boolean {
  return namesOf(a).at(-1) === namesOf(b).at(-1);
}

/** The data directory of the units here; empty if they name none. */
function dataOfUnits(directory: string): readonly string[] {
  const main = unitsOf(directory).filter((file) => basename(file) === MAIN_UNIT);
  return main.flatMap((file) => /^Environment=GHOSTINBOX_DATA=(\S+)/m.exec(readFileSync(file, "utf8"))?.[1] ?? []);
}

/** Whether systemd starts the server of this data directory, by units that `installUnits` has written. */
export function areUnitsFor({ data }: Layout, directory: string = UNIT_DIRECTORY): boolean {
  return dataOfUnits(directory).some((served) => isSamePlace(served, data));
}

/** Files that `installUnits` has written. */
export function unitsOf(directory: string = UNIT_DIRECTORY): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => OUR_NAME.test(name))
    .map((name) => join(directory, name))
    .filter(isOurs);
}

function isOurs(file: string): boolean {
  return textOrNothing(file).startsWith(`${UNIT_HEAD}\n`);
}

async function systemctl(argv: readonly string[]): Promise<Outcome> {
  const ran = await runProgram("systemctl", argv, { timeoutMs: SYSTEMCTL_MS });
  return ran.code === 0 ? { ok: true } : { ok: false, reason: `systemctl ${argv.join(" ")} failed: ${lastLines(ran)}` };
}
