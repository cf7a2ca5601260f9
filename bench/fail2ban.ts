import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../test/lab/commands.ts";
import type { Lab } from "../test/lab/lab.ts";
import { until } from "../test/lab/wait.ts";
import { Child, pinned, SERVER_CPU } from "./child.ts";

const STOCK = "/etc/fail2ban";
const JAIL = "dovecot";
const FILES = ["filter.d/common.conf", "filter.d/dovecot.conf", "action.d/nftables.conf"];

/** How it notices new lines: by inotify, Debian's default, or by polling if python3-pyinotify is missing. */
export type Backend = "pyinotify" | "polling";

/** The real Fail2ban on the lab's server host: Debian's filter for Dovecot and its action for nftables. */
export async function startFail2ban(lab: Lab, backend: Backend, maxRetry: number) {
  const directory = join(lab.directory, `fail2ban-${backend}-${maxRetry}`);
  const log = join(directory, "mail.log");
  for (const part of ["filter.d", "action.d"]) mkdirSync(join(directory, part), { recursive: true });
  for (const file of FILES) copyFileSync(join(STOCK, file), join(directory, file));
  writeFileSync(log, "");
  writeFileSync(
    join(directory, "fail2ban.conf"),
    `[Definition]\nloglevel = WARNING\nlogtarget = STDERR\nsyslogsocket = auto\ndbfile = None\nallowipv6 = auto\n`,
  );
  writeFileSync(
    join(directory, "jail.conf"),
    `[${JAIL}]
enabled = true
backend = ${backend}
filter = dovecot
logpath = ${log}
usedns = no
maxretry = ${maxRetry}
findtime = 600
bantime = 1800
action = nftables[type=allports, name=bench, protocol="tcp, udp"]
`,
  );
  const paths = ["-c", directory, "-s", join(directory, "socket")];
  const argv = ["fail2ban-server", ...paths, "-p", join(directory, "pid"), "-x", "-f", "start"];
  const child = new Child(lab.server.inside(pinned(SERVER_CPU, argv)));
  /** How many failures it has counted so far; null while it does not answer. */
  const failures = async (): Promise<number | null> => {
    const ran = await runProgram(["fail2ban-client", ...paths, "status", JAIL]);
    const total = /Total failed:\s*(\d+)/.exec(ran.stdout)?.[1];
    return total === undefined ? null : Number(total);
  };
  const watches = async (): Promise<boolean> => {
    child.mustRun();
    return (await failures()) === 0;
  };
  await until(`Fail2ban watches its log: ${child.output}`, watches, 30_000);
  return {
    log,
    failures,
    /** A failed login as Dovecot 2.3 writes it. */
    line: (ip: string): string => {
      const time = new Date()
        .toString()
        .slice(4, 24)
        .replace(/ \d{4} /, " ");
      return `${time} imap-login: Info: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<alice@example.org>, method=PLAIN, rip=${ip}, lip=203.0.113.10, TLS, session=<0aBcDeFg>\n`;
    },
    bansInKernel: async (): Promise<number> => {
      const ran = await lab.server.exec(["nft", "list", "set", "inet", "f2b-table", "addr-set-bench"]);
      return ran.stdout.match(/\d+\.\d+\.\d+\.\d+/g)?.length ?? 0;
    },
    stop: async (): Promise<void> => {
      await child.stop();
      await lab.server.exec(["nft", "delete", "table", "inet", "f2b-table"]);
    },
  };
}
