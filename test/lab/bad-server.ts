import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startFaulty } from "./faulty-servers.ts";
import type { Host } from "./host.ts";
import { plainDovecot } from "./plain-dovecot.ts";
import { POSTFIX_SERVICES } from "./postfix-services.ts";
import { type Certificate, makeCertificate, makeExpiringCertificate, NEW_RSA_KEY } from "./tls-server.ts";

/**
 * A mail server with configuration faults: Postfix on 25 and 465, Dovecot on 143 and 993 (and, as if it
 * were a database, on 3306), and a program of ours on 587. It discards accepted mail. Returns a function that
 * lists that mail from the log.
 */
export async function startBad(host: Host, directory: string, address: string): Promise<() => readonly string[]> {
  const at = (name: string): string => join(directory, `bad-${name}`);
  const expired = await makeExpiringCertificate(directory, "bad-expired", "bad.test", -1);
  // With another key type Dovecot offers no old TLS version.
  const other = await makeCertificate(directory, "bad-other", "other.test", NEW_RSA_KEY);
  const config = at("postfix");
  for (const name of ["postfix", "queue", "data"]) mkdirSync(at(name), { mode: 0o755 });
  await host.mustExec(["chown", "postfix", at("data")]);
  writeFileSync(join(config, "main.cf"), mainCf(directory, at, expired));
  writeFileSync(join(config, "master.cf"), masterCf(address));
  mkdirSync(at("dovecot"), { mode: 0o755 });
  mkdirSync(at("mail"));
  chmodSync(at("mail"), 0o777);
  writeFileSync(at("dovecot.conf"), dovecotConf(address, at, other));
  await host.mustExec(["postfix", "-c", config, "check"]);
  await host.spawnServer(["dovecot", "-F", "-c", at("dovecot.conf")], address, 143, 993);
  // After Dovecot, which it asks about sign-ins.
  await host.spawnServer(["/usr/lib/postfix/sbin/master", "-c", config, "-d"], address, 25);
  await startFaulty(host, address, expired, ["587=injectable"]);
  const log = () => readFileSync(at("postfix.log"), "utf8").split("\n");
  return () => log().filter((line) => / qmgr\[|status=/.test(line));
}

function mainCf(directory: string, at: (name: string) => string, expired: Certificate): string {
  return `compatibility_level = 3.6
queue_directory = ${at("queue")}
data_directory = ${at("data")}
maillog_file = ${at("postfix.log")}
maillog_file_prefixes = ${directory}
inet_interfaces = all
inet_protocols = ipv4
myhostname = bad.test
mydestination = bad.test
# Everybody.
mynetworks = 0.0.0.0/0
alias_maps =
alias_database =
local_recipient_maps = inline:{ postmaster=x }
local_transport = discard
default_transport = discard
smtpd_banner = $myhostname ESMTP Postfix $mail_version (Debian/GNU)
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${expired.cert}
smtpd_tls_key_file = ${expired.key}
smtpd_tls_protocols =
smtpd_tls_ciphers = medium
tls_medium_cipherlist = ALL:COMPLEMENTOFALL:@SECLEVEL=0
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ${at("dovecot")}/auth
# As Postfix 3.7 has it by default.
smtpd_forbid_bare_newline = no
`;
}

function masterCf(address: string): string {
  return `${address}:25 inet n - n - - smtpd
${address}:465 inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
${POSTFIX_SERVICES}
bounce unix - - n - 0 discard
defer unix - - n - 0 discard
trace unix - - n - 0 discard
discard unix - - n - - discard
`;
}

function dovecotConf(address: string, at: (name: string) => string, certificate: Certificate): string {
  const wish = { name: "bad", address, certificate, passdb: "password=wrong", imapPort: 143 };
  return `${plainDovecot(at, wish)}ssl = yes
ssl_min_protocol = TLSv1
ssl_cipher_list = ALL:COMPLEMENTOFALL:@SECLEVEL=0
disable_plaintext_auth = no
service auth {
  unix_listener ${at("dovecot")}/auth {
    mode = 0666
  }
}
service imap-login {
  inet_listener database {
    port = 3306
  }
}
`;
}
