import { globSync, statSync } from "node:fs";
import { release } from "node:os";
import { basename, join } from "node:path";
import { formatBytes } from "../../../core/report/figures.ts";
import { RENEW_IMAGE } from "../../../core/report/todo.ts";
import { plural } from "../../../core/text.ts";
import { DAY_MS, MINUTE_MS, span } from "../../../core/time.ts";
import { replacedIn } from "../../../host/debian/packages.ts";
import { fetchLists, readUpgrade, SIMULATED_UPGRADE } from "../../../host/debian/updates.ts";
import { mountOf } from "../../../host/kernel/mounts.ts";
import { CHECKOUT, IS_IMAGE } from "../../../host/running/checkout.ts";
import { listProcesses, withDescendants } from "../../../host/running/read-processes.ts";
import { SERVICES } from "../../../host/running/runit.ts";
import { pidOf } from "../../../host/running/supervise.ts";
import { reservedBytes } from "../../../mail/postfix/main-cf.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import { check, type Finding, ok, type Room, type Server, unknown, warning, worstOf, wrong } from "./check.ts";

/** The newest file that the server has written. */
type Newest = Readonly<{ path: string; at: number }>;

/** Reports a file from the future, which means that the clock was set back. A running server has written within minutes. */
export function judgeFiles(newest: Newest | null, now: number): Finding {
  if (newest === null) return unknown("The server has written no file yet.");
  const fix = "timedatectl  # or chronyc tracking: shows where the machine gets its time from";
  const ahead = newest.at - now;
  if (ahead > MINUTE_MS)
    return wrong(`${newest.path} was written ${span(ahead)} in the future: the clock was set back.`, fix);
  return ok(`The newest file of the server (${newest.path}) is ${span(-ahead)} old, so none is from the future.`);
}

/** `value`: NTPSynchronized of timedatectl(1); empty if it could not be run. */
export function judgeSynchronized(value: string): Finding {
  if (value === "yes") return ok("The clock is synchronized with a time server.");
  if (value === "no") return warning("The clock is not synchronized with a time server.", "timedatectl set-ntp true");
  return unknown("Whether the clock is synchronized is unknown here; the host may do it.", "timedatectl");
}

function newestFile(data: string): Newest | null {
  const found = globSync(["log/**/*", "db/*/*", "run/*.pid"], { cwd: data }).flatMap((name) => {
    const path = join(data, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true ? [{ path, at: stat.mtimeMs }] : [];
  });
  return found.toSorted((a, b) => b.at - a.at)[0] ?? null;
}

export const clock = {
  files: check("Compares the clock with the newest file that the server has written.", ({ layout, now }) =>
    judgeFiles(newestFile(layout.data), now),
  ),
  synchronized: check("Asks the system whether the clock is synchronized with a time server.", async ({ machine }) => {
    const ran = await machine.run("timedatectl", ["show", "-p", "NTPSynchronized", "--value"], { timeoutMs: 5_000 });
    return judgeSynchronized(ran.code === 0 ? ran.stdout.trim() : "");
  }),
};

const LOW_SHARE = 0.1;
const CRITICAL_SHARE = 0.03;

/** `reserved`: free bytes below which mail is refused. */
export function judgeSpace(place: string, { free, all }: Room, reserved: number): Finding {
  const saw = `${formatBytes(free)} of ${formatBytes(all)} are free below ${place}`;
  return free < reserved ? judgeRoom(0, `${saw}: mail is refused.`, place) : judgeRoom(free / all, `${saw}.`, place);
}

/** Some file systems have no fixed number of inodes. */
export function judgeInodes(place: string, { free, all }: Room): Finding {
  if (all === 0) return ok(`The file system below ${place} has no fixed number of inodes.`);
  return judgeRoom(free / all, `${free} of ${all} inodes are free below ${place}.`, place);
}

function judgeRoom(share: number, saw: string, place: string): Finding {
  const fix = `du -xDh --max-depth=2 ${place} | sort -h | tail  # shows what uses the space`;
  if (share < CRITICAL_SHARE) return wrong(saw, fix);
  return share < LOW_SHARE ? warning(saw, fix) : ok(saw);
}

export function judgeMount(place: string, mounts: string): Finding {
  const mount = mountOf(place, mounts);
  if (mount === null) return unknown(`The kernel lists no mount that contains ${place}.`);
  const { point, type, isReadOnly } = mount;
  if (isReadOnly) return wrong(`The disk at ${point} (${type}) is read-only.`, "dmesg | tail  # docs/recovery.md");
  return ok(`The disk at ${point} (${type}) is writable.`);
}

/** Judges the data directory and the mail, which may be on a separate disk. */
function worstDisk({ layout: { data, mail }, machine }: Server, judge: (path: string) => Finding): Finding {
  const mounts = machine.mounts();
  const isApart = mountOf(mail, mounts)?.point !== mountOf(data, mounts)?.point;
  return worstOf((isApart ? [data, mail] : [data]).map(judge));
}

export const disk = {
  space: check("Asks the file systems of the data directory and the mail for their free space.", (server) =>
    worstDisk(server, (path) =>
      judgeSpace(path, server.machine.room(path).bytes, reservedBytes(server.settings["limits.mail.max_size"])),
    ),
  ),
  inodes: check("Asks the file systems for their free inodes; each mail uses one.", (server) =>
    worstDisk(server, (path) => judgeInodes(path, server.machine.room(path).inodes)),
  ),
  mount: check("Checks whether the disks of the data directory and the mail are writable.", (server) =>
    worstDisk(server, (path) => judgeMount(path, server.machine.mounts())),
  ),
};

const FETCH = IS_IMAGE ? RENEW_IMAGE : "apt-get update";
const INSTALL = IS_IMAGE ? RENEW_IMAGE : "apt-get --with-new-pkgs upgrade";
const OLD_DAYS = 7;

/** `simulated`: the output of `SIMULATED_UPGRADE`. `listedAt` null: the package lists are missing. */
export function judgeUpdates(simulated: string | null, listedAt: number | null, now: number): Finding {
  if (listedAt === null)
    return unknown("This machine has no Debian package lists, so pending updates are unknown.", FETCH);
  if (simulated === null) return unknown("apt-get could not be run.", FETCH);
  const waiting = readUpgrade(simulated);
  const security = waiting.filter(({ isSecurity }) => isSecurity).map(({ name }) => name);
  const names = waiting.map(({ name }) => name);
  if (security.length > 0)
    return wrong(`${plural(security.length, "security update")} not installed yet: ${firstFew(security)}.`, INSTALL);
  if (names.length > 0)
    return warning(`${plural(names.length, "update")} not installed yet: ${firstFew(names)}.`, INSTALL);
  const days = Math.floor((now - listedAt) / DAY_MS);
  if (days > OLD_DAYS) return unknown(`The package lists are ${plural(days, "day")} old and show no update.`, FETCH);
  return ok("No update is pending.");
}

/** `output`: of apt-config(8) for the setting of unattended-upgrades. */
export function judgeAutomatic(output: string | null): Finding {
  if (output === null) return unknown("apt-config could not be run.");
  const [, every = "0"] = /"([^"]*)";/.exec(output) ?? [];
  // The value may also be "always" or have a unit, such as 12h.
  const often = /^\d+$/.test(every) ? `every ${plural(Number(every), "day")}` : every;
  if (every !== "0" && every !== "") return ok(`Debian installs security updates automatically (${often}).`);
  return warning(
    "Debian does not install security updates automatically.",
    "apt-get install unattended-upgrades && dpkg-reconfigure -plow unattended-upgrades",
  );
}

const OLD_IMAGE_DAYS = 30;

/** `unpackedAt`: when this machine built or fetched the image, by the ctime of its files (inode(7)); an image has no build date. */
export function judgeImage(unpackedAt: number, now: number): Finding {
  const days = Math.floor((now - unpackedAt) / DAY_MS);
  if (days <= OLD_IMAGE_DAYS) return ok("Updates come with a new image; `updates.waiting` says when you need one.");
  return warning(
    `This image is ${plural(days, "day")} old: newer versions of GhostInbox and Node come only with a new one.`,
    `git pull --autostash && ${RENEW_IMAGE}`,
  );
}

/** `running`: the server's processes whose program or library was replaced or removed. */
function judgeReplaced(running: readonly string[], inspected: number): Finding {
  if (running.length > 0)
    return warning(`These still run code from before an update: ${firstFew(running)}.`, `${PROGRAM} restart`);
  if (inspected === 0) return unknown("No process of the server could be inspected.", `${PROGRAM} status`);
  return ok(`${plural(inspected, "process")} of the server: none runs a program or library that was replaced.`);
}

/** Compares versions as uname(2) returns them. In a container, the kernel is the host's and not among the installed ones. */
export function judgeKernel(running: string, installed: readonly string[]): Finding {
  const flavourOf = (version: string): string | undefined => /-[a-z].*$/.exec(version)?.[0];
  const newest = installed
    .filter((version) => flavourOf(version) === flavourOf(running))
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .at(-1);
  if (newest === undefined || newest === running || !installed.includes(running))
    return ok("No newer kernel is installed.");
  return warning(`The running kernel (${running}) is older than the installed one (${newest}).`, "reboot");
}

export const updates = {
  automatic: check(
    "Asks apt whether Debian's security updates are installed automatically; in a container, looks at the image's age.",
    async ({ machine, now }) => {
      if (IS_IMAGE) return judgeImage(statSync(join(CHECKOUT, "image")).ctimeMs, now);
      const ran = await machine.run("apt-config", ["dump", "APT::Periodic::Unattended-Upgrade"]);
      return judgeAutomatic(ran.code === 0 ? ran.stdout : null);
    },
  ),
  running: check(
    "Checks whether the kernel, or programs or libraries of the server's processes, are from before an update.",
    ({ layout: { services } }) => {
      const main = new Set(SERVICES.map((service) => pidOf(services, service)));
      const all = withDescendants(listProcesses(), ({ pid }) => main.has(pid));
      const old = all.flatMap(({ pid, args }) =>
        replacedIn(pid).map((file) => `${basename(args[0] ?? "")} (${pid}): ${file}`),
      );
      const kernels = globSync("/boot/vmlinuz-*").map((path) => basename(path).replace("vmlinuz-", ""));
      return worstOf([judgeKernel(release(), kernels), judgeReplaced(old, all.length)]);
    },
  ),
  waiting: check(
    "Asks apt, without changing anything, which Debian updates are pending. Only a container fetches the lists, once a day, into memory.",
    async ({ machine, now }) => {
      const failed = IS_IMAGE ? await fetchLists(now) : null;
      if (failed !== null) return unknown(failed, RENEW_IMAGE);
      const lists = globSync(join(machine.packageLists, "*_Packages*"));
      const times = lists.map((file) => statSync(file).mtimeMs);
      if (times.length === 0) return judgeUpdates(null, null, now);
      const ran = await machine.run("apt-get", SIMULATED_UPGRADE, { timeoutMs: 20_000 });
      return judgeUpdates(ran.code === 0 ? ran.stdout : null, Math.max(...times), now);
    },
  ),
};
