import { globSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { replacedIn } from "../../adapters/machine/replaced-code.ts";
import { fetchLists } from "../../adapters/machine/updates.ts";
import { RENEW_IMAGE } from "../../core/report/todo.ts";
import { plural } from "../../core/text.ts";
import { DAY_MS, instant } from "../../core/time.ts";
import { IS_IMAGE } from "../../daemon/set-up/checkout.ts";
import { withDescendants } from "../../daemon/set-up/running/read-processes.ts";
import { pidOf } from "../../daemon/set-up/running/supervise.ts";
import { SERVICES } from "../../render/runit.ts";
import { readUpgrade, SIMULATED_UPGRADE } from "../../wire/debian/apt.ts";
import { PROGRAM } from "../call.ts";
import { type Finding, ok, some, unknown, warning, wrong } from "./finding.ts";
import type { Check } from "./server.ts";

const FETCH = IS_IMAGE ? RENEW_IMAGE : "apt-get update";
const INSTALL = IS_IMAGE ? RENEW_IMAGE : "apt-get --with-new-pkgs upgrade";
const OLD_DAYS = 7;

/** `simulated`: the output of `SIMULATED_UPGRADE`. `listedAt` null: the package lists are missing. */
export function judgeUpdates(simulated: string | null, listedAt: number | null, now: number): Finding {
  if (listedAt === null)
    return unknown("This machine has no Debian package lists, so pending updates are unknown.", FETCH);
  if (simulated === null) return unknown("apt-get cannot be asked.", FETCH);
  const waiting = readUpgrade(simulated);
  const security = waiting.filter(({ isSecurity }) => isSecurity).map(({ name }) => name);
  const names = waiting.map(({ name }) => name);
  if (security.length > 0)
    return wrong(`${plural(security.length, "security update")} not installed yet: ${some(security)}.`, INSTALL);
  if (names.length > 0) return warning(`${plural(names.length, "update")} not installed yet: ${some(names)}.`, INSTALL);
  const days = Math.floor((now - listedAt) / DAY_MS);
  if (days > OLD_DAYS) return unknown(`The package lists are ${plural(days, "day")} old and show no update.`, FETCH);
  return ok("No update waits.");
}

/** `said`: apt-config(8)'s output for the setting that unattended-upgrades adds. */
export function judgeAutomatic(said: string | null): Finding {
  if (said === null) return unknown("apt-config cannot be asked.");
  const [, days = "0"] = /"([^"]*)";/.exec(said) ?? [];
  if (days !== "0" && days !== "")
    return ok(`Debian installs security updates automatically (every ${plural(Number(days), "day")}).`);
  return warning(
    "Debian does not install security updates automatically.",
    "apt-get install unattended-upgrades && dpkg-reconfigure -plow unattended-upgrades",
  );
}

/** `running`: the server's processes whose program or library was replaced or removed. */
export function judgeReplaced(running: readonly string[], looked: number): Finding {
  if (running.length > 0)
    return warning(`These still run code from before an update: ${some(running)}.`, `${PROGRAM} restart`);
  if (looked === 0) return unknown("No process of the server could be inspected.", `${PROGRAM} status`);
  return ok(
    `${plural(looked, "process", "processes")} of the server: none runs a program or library that was replaced.`,
  );
}

export const updates = [
  {
    name: "automatic",
    does: "Asks apt whether Debian's security updates are installed automatically.",
    look: async ({ machine }) => {
      if (IS_IMAGE) return ok("Updates come with a new image; `updates.waiting` says when you need one.");
      const ran = await machine.run("apt-config", ["dump", "APT::Periodic::Unattended-Upgrade"]);
      return judgeAutomatic(ran.code === 0 ? ran.stdout : null);
    },
  },
  {
    name: "running",
    does: "Checks whether the server's processes still run programs or libraries that an update replaced.",
    look: ({ layout: { services } }) => {
      const main = new Set(SERVICES.map((service) => pidOf(services, service)));
      const all = withDescendants(main);
      const old = all.flatMap(({ pid, args }) =>
        replacedIn(pid).map((file) => `${basename(args[0] ?? "")} (${pid}): ${file}`),
      );
      return judgeReplaced(old, all.length);
    },
  },
  {
    name: "waiting",
    does: "Asks apt, without changing anything, which Debian updates are pending. Only a container fetches the lists, once a day, into memory.",
    look: async ({ machine, now }) => {
      const failed = IS_IMAGE ? await fetchLists(instant(now)) : null;
      if (failed !== null) return unknown(failed, RENEW_IMAGE);
      const lists = globSync(join(machine.packageLists, "*_Packages*"));
      const times = lists.map((file) => statSync(file).mtimeMs);
      if (times.length === 0) return judgeUpdates(null, null, now);
      const ran = await machine.run("apt-get", SIMULATED_UPGRADE, { timeoutMs: 20_000 });
      return judgeUpdates(ran.code === 0 ? ran.stdout : null, Math.max(...times), now);
    },
  },
] as const satisfies readonly Check[];
