import type { Settings } from "../../settings/schema.ts";
import { servedFiles } from "../certificates/issue-certificate.ts";
import { type Site, SYSTEM_AUTHORITIES } from "./site.ts";

type TlsProfile = Settings["tls.profile"];

/** `ciphers`: OpenSSL cipher lists up to TLS 1.2 (openssl-ciphers(1)); all suites of TLS 1.3 are good. */
const PROFILES: Readonly<Record<TlsProfile, Readonly<{ ciphers: string; protocols: string }>>> = {
  modern: { ciphers: "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!MD5:!DSS", protocols: ">=TLSv1.2" },
  // Word for word those of examples/investra.toml's original Dovecot configuration. `modern` has the same protocols in today's terms.
  seed: {
    ciphers: "ECDHE+AESGCM:ECDHE+AES256:ECDHE+AES128:RSA+AES:!aNULL:!MD5:!DSS",
    protocols: "!SSLv3 !TLSv1 !TLSv1.1",
  },
};

/** smtpd on every port. Both levels use the list "high": port 25 uses TLS if the client does, the others require it. */
export function postfixServerTls({ layout, tls }: Site): Readonly<Record<string, string>> {
  const { ciphers, protocols } = PROFILES[tls.profile];
  return {
    smtpd_tls_security_level: "may",
    smtpd_tls_chain_files: servedFiles(layout).chain,
    smtpd_tls_protocols: protocols,
    smtpd_tls_mandatory_protocols: protocols,
    smtpd_tls_ciphers: "high",
    smtpd_tls_mandatory_ciphers: "high",
    tls_high_cipherlist: ciphers,
    tls_preempt_cipherlist: "yes",
    smtpd_tls_auth_only: "yes",
    smtpd_tls_received_header: "yes",
    smtpd_tls_loglevel: "1",
    tls_ssl_options: "NO_COMPRESSION, NO_RENEGOTIATION",
  };
}

/** The owner's file (`mailboxes.dovecot`) may still use `ssl_protocols` and `ssl_dh_parameters_length`, which Dovecot 2.3 accepts. */
export function dovecotTls({ layout, tls }: Site): string {
  const { cert, key } = servedFiles(layout);
  return `ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <${cert}
ssl_key = <${key}
ssl_cipher_list = ${PROFILES[tls.profile].ciphers}
ssl_prefer_server_ciphers = yes
ssl_options = no_compression
ssl_client_ca_file = ${SYSTEM_AUTHORITIES}`;
}
