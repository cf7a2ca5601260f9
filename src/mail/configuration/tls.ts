import type { Settings } from "../../settings/schema.ts";
import { type Site, SYSTEM_AUTHORITIES } from "./site.ts";

type TlsProfile = Settings["tls.profile"];

/** OpenSSL cipher lists up to TLS 1.2 (openssl-ciphers(1)); all suites of TLS 1.3 are good. */
const CIPHERS: Readonly<Record<TlsProfile, string>> = {
  modern: "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!MD5:!DSS",
  // Word for word the line of examples/investra.toml's original Dovecot configuration.
  seed: "ECDHE+AESGCM:ECDHE+AES256:ECDHE+AES128:RSA+AES:!aNULL:!MD5:!DSS",
};

/** Its `ssl_protocols`; `modern` means the same in today's terms. */
const PROTOCOLS: Readonly<Record<TlsProfile, string>> = {
  modern: ">=TLSv1.2",
  seed: "!SSLv3 !TLSv1 !TLSv1.1",
};

/**
 * The files that the servers read: copies that match each other, so that no server uses a half-written renewal. Names
 * below `layout.tlsServed`.
 */
export const SERVED = { chain: "chain.pem", cert: "cert.pem", key: "key.pem", dh: "dh.pem" } as const;

/** smtpd on every port. Both levels use the list "high": port 25 uses TLS if the client does, the others require it. */
export function postfixServerTls({ layout, tls }: Site): Readonly<Record<string, string>> {
  const protocols = PROTOCOLS[tls.profile];
  return {
    smtpd_tls_security_level: "may",
    smtpd_tls_chain_files: `${layout.tlsServed}/${SERVED.chain}`,
    smtpd_tls_protocols: protocols,
    smtpd_tls_mandatory_protocols: protocols,
    smtpd_tls_ciphers: "high",
    smtpd_tls_mandatory_ciphers: "high",
    tls_high_cipherlist: CIPHERS[tls.profile],
    tls_preempt_cipherlist: "yes",
    // Despite its name, for a group of any size.
    smtpd_tls_dh1024_param_file: `${layout.tlsServed}/${SERVED.dh}`,
    smtpd_tls_auth_only: "yes",
    smtpd_tls_received_header: "yes",
    smtpd_tls_loglevel: "1",
    tls_ssl_options: "NO_COMPRESSION, NO_RENEGOTIATION",
  };
}

/** Dovecot 2.3 still accepts `ssl_protocols` and `ssl_dh_parameters_length` for the first and last of these lines. */
export function dovecotTls({ layout, tls }: Site): string {
  return `ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <${layout.tlsServed}/${SERVED.cert}
ssl_key = <${layout.tlsServed}/${SERVED.key}
ssl_dh = <${layout.tlsServed}/${SERVED.dh}
ssl_cipher_list = ${CIPHERS[tls.profile]}
ssl_prefer_server_ciphers = yes
ssl_options = no_compression
ssl_client_ca_file = ${SYSTEM_AUTHORITIES}`;
}

/** The group ffdhe2048 of RFC 7919, appendix A.1: publicly known, so nothing is computed at the first start. */
export const FFDHE2048 = `-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
`;
