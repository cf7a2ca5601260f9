import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./commands.ts";
import type { Host } from "./host.ts";
import { POSTFIX_SERVICES } from "./postfix-services.ts";
import type { Login, Wish } from "./tls-server.ts";
import { until } from "./wait.ts";

/** `nextHop`: the server to which it delivers all mail. */
type RelayWish = Omit<Wish, "port"> & Readonly<{ login: Login; nextHop: string }>;

const PORT = 587;
/** Further services of Postfix that it needs (master(5)). */
const SERVICES = `
pickup unix n - n 60 1 pickup
${POSTFIX_SERVICES}
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
relay unix - - n - - smtp
scache unix - - n - 1 scache
`;

/** A provider's relay: a separate Postfix that accepts mail only over TLS, from users that Dovecot authenticates. */
export async function startOutsideRelay(host: Host, wish: RelayWish) {
  const { directory, address, login } = wish;
  const at = (name: string): string => join(directory, "outside-relay", name);
  for (const name of ["etc", "queue/private", "data", "run"]) mkdirSync(at(name), { recursive: true });
  await mustRun(["chown", "postfix", at("data"), at("queue/private")]);
  writeFileSync(at("etc/main.cf"), mainOf(at, wish));
  writeFileSync(at("etc/master.cf"), `${address}:${PORT} inet n - n - - smtpd${SERVICES}`);
  writeFileSync(at("dovecot.conf"), dovecotOf(at));
  host.spawn(["dovecot", "-F", "-c", at("dovecot.conf")]);
  await until("the relay accepts sign-ins", () => existsSync(at("queue/private/auth")));
  await host.spawnServer(["postfix", "-c", at("etc"), "start-fg"], address, PORT);
  /** Accepts only this login from now on. Dovecot checks the file at most once a second. */
  const letIn = async ({ user, password }: Login): Promise<void> => {
    writeFileSync(at("users"), `${user}:{PLAIN}${password}\n`, { mode: 0o644 });
    const argv = ["doveadm", "-c", at("dovecot.conf"), "auth", "test", "-a", at("queue/private/auth"), user, password];
    await until("Dovecot has read it", async () => (await host.exec(argv)).code === 0);
  };
  await letIn(login);
  return { letIn };
}

function mainOf(at: (name: string) => string, { certificate, nextHop }: RelayWish): string {
  return `
compatibility_level = 3.6
queue_directory = ${at("queue")}
data_directory = ${at("data")}
maillog_file = ${at("mail.log")}
maillog_file_prefixes = ${at("")}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = smtp.relay.example
mydestination =
mynetworks =
local_recipient_maps =
alias_maps =
alias_database =
smtpd_tls_cert_file = ${certificate.cert}
smtpd_tls_key_file = ${certificate.key}
smtpd_tls_security_level = encrypt
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
relayhost = [${nextHop}]:25
`;
}

function dovecotOf(at: (name: string) => string): string {
  return `
base_dir = ${at("run")}
log_path = ${at("dovecot.log")}
protocols =
ssl = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = ${at("users")}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
service auth {
  unix_listener ${at("queue/private/auth")} {
    mode = 0666
  }
}
`;
}
