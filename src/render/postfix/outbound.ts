import { RENDERED_BY, type Relay, type RenderedFile, type Site } from "../site.ts";

/** texthash(5): read as root before smtp(8) drops its privileges, so no other user needs to read it. */
const LOGIN_FILE = "relay-login";
const SUBMISSIONS = 465;

/** How mail is sent: with TLS where the other side has it, and always where a relay gets a password. */
export function postfixOutbound({ outbound }: Site): Readonly<Record<string, string>> {
  const { relay } = outbound;
  return {
    // Applies to each transport, including LMTP to Dovecot.
    default_destination_concurrency_limit: String(outbound.atOnce),
    maximal_queue_lifetime: `${outbound.queueLifetimeSeconds}s`,
    bounce_queue_lifetime: `${outbound.bounceLifetimeSeconds}s`,
    delay_warning_time: `${outbound.delayWarningSeconds}s`,
    // Only verified TLS if DNSSEC and TLSA records require it (RFC 7672); otherwise TLS if it is offered.
    smtp_tls_security_level: relay === null ? "dane" : "may",
    smtp_dns_support_level: "dnssec",
    smtp_tls_protocols: ">=TLSv1.2",
    smtp_tls_mandatory_protocols: ">=TLSv1.2",
    smtp_tls_CAfile: relay?.authorities ?? SYSTEM_AUTHORITIES,
    smtp_tls_loglevel: "1",
    ...(relay === null ? {} : toRelay(relay)),
  };
}

export const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

function toRelay(relay: Relay): Readonly<Record<string, string>> {
  return {
    relayhost: relay.nextHop,
    // RFC 8314: on this port TLS starts at once.
    ...(relay.port === SUBMISSIONS ? { smtp_tls_wrappermode: "yes", smtp_tls_security_level: "encrypt" } : {}),
    ...(relay.login === null
      ? {}
      : {
          smtp_tls_security_level: "secure",
          smtp_sasl_auth_enable: "yes",
          smtp_sasl_password_maps: `texthash:$config_directory/${LOGIN_FILE}`,
          smtp_sasl_security_options: "noanonymous",
          smtp_sasl_tls_security_options: "noanonymous",
        }),
  };
}

/** The login at the relay; an empty table if there is none, so that no old password stays. */
export function renderRelayLogin({ outbound: { relay } }: Site): RenderedFile {
  const login = relay?.login ?? null;
  const line = relay === null || login === null ? "" : `${relay.nextHop} ${login.user}:${login.password}\n`;
  return { name: LOGIN_FILE, text: `# ${RENDERED_BY}\n${line}`, mode: 0o600 };
}
