import type { Certificate } from "./tls-server.ts";

/** `passdb`: what its static driver answers. `imapPort`: the port without TLS; 0 for none. */
type Wish = Readonly<{ name: string; address: string; certificate: Certificate; passdb: string; imapPort: number }>;

/** dovecot.conf of a simple IMAP server that gives every name the same answer. `at`: the path of each of its files, by name. */
export function plainDovecot(at: (name: string) => string, { name, address, certificate, passdb, imapPort }: Wish) {
  return `base_dir = ${at("base")}
state_dir = ${at("state")}
instance_name = ${name}
log_path = ${at("dovecot.log")}
protocols = imap
listen = ${address}
ssl_cert = <${certificate.cert}
ssl_key = <${certificate.key}
passdb {
  driver = static
  args = ${passdb}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${at("mail")}/%u
}
first_valid_uid = 1
mail_location = maildir:~/Maildir
service imap-login {
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
`;
}
