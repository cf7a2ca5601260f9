import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./until.ts";

const NOBODY = 65_534;

/** What a Dovecot for doveadm needs. */
export const DOVECOT = { root: true, installed: ["dovecot", "doveadm"], users: ["dovecot", "dovenull"] };

/** A Dovecot without a network, for doveadm. Its mailboxes are below `mail` in `top`. */
export function realDovecot(accounts: readonly string[]) {
  const top = temporaryDirectory();
  const conf = join(top, "dovecot.conf");
  let server: ReturnType<typeof spawn> | null = null;
  return {
    top,
    conf,
    doveadm: (args: readonly string[], input = ""): string =>
      execFileSync("doveadm", ["-c", conf, ...args], { input, encoding: "utf8" }),
    start: async (): Promise<void> => {
      chmodSync(top, 0o755);
      for (const name of ["run", "state", "mail"]) mkdirSync(join(top, name), { mode: 0o755 });
      chownSync(join(top, "mail"), NOBODY, NOBODY);
      writeFileSync(join(top, "users"), accounts.map((account) => `${account}:::::\n`).join(""));
      writeFileSync(
        conf,
        `base_dir = ${top}/run\nstate_dir = ${top}/state\nlog_path = ${top}/log\nprotocols =\nfirst_valid_uid = 1
mail_location = maildir:~/Maildir\nmail_uid = ${NOBODY}\nmail_gid = ${NOBODY}\nmail_home = ${top}/mail/%u\nssl = no
mail_always_cache_fields = date.save\nnamespace inbox {\n  inbox = yes\n}
userdb {\n  driver = passwd-file\n  args = ${top}/users\n}\npassdb {\n  driver = passwd-file\n  args = ${top}/users\n}\n`,
      );
      server = spawn("dovecot", ["-F", "-c", conf], { stdio: "ignore" });
      await until(() => existsSync(join(top, "run", "auth-userdb")), "Dovecot has started");
    },
    stop: async (): Promise<void> => {
      server?.kill("SIGTERM");
      if (server?.exitCode === null && server.signalCode === null) await once(server, "exit");
    },
  };
}
