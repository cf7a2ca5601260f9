import { TABLES } from "./postfix-tables.ts";
import { RENDERED_BY, type Site } from "./site.ts";

/**
 * main.cf (postconf(5)). Port 25 takes mail for our mailboxes only, from anyone, loopback included: behind a proxy
 * all the world may come from loopback. What users send comes through submission (master.cf).
 */
export function renderPostfixMain(site: Site): string {
  const lines = Object.entries(parameters(site)).map(([name, value]) => `${name} = ${value}`.trimEnd());
  return `# ${RENDERED_BY}\n${lines.join("\n")}\n`;
}

function parameters(site: Site): Readonly<Record<string, string>> {
  return { ...places(site), ...addresses(site), ...policy(), ...restrictions(), ...encryption(site) };
}

function places({ layout, ipv6 }: Site): Readonly<Record<string, string>> {
  return {
    compatibility_level: "3.6",
    queue_directory: layout.postfixQueue,
    data_directory: layout.postfixData,
    maillog_file: layout.mailLog,
    maillog_file_prefixes: layout.log,
    inet_interfaces: "all",
    inet_protocols: ipv6 ? "all" : "ipv4",
    // Debian's defaults name tables below /etc.
    alias_maps: "",
    alias_database: "",
    readme_directory: "no",
    html_directory: "no",
  };
}

function addresses({ hostname, domains, messageSizeBytes }: Site): Readonly<Record<string, string>> {
  // By this name a copy of the configuration that is being checked finds its own tables.
  const table = (name: keyof typeof TABLES): string => `proxy:sqlite:$config_directory/${TABLES[name].file}`;
  return {
    myhostname: hostname,
    myorigin: domains[0] ?? hostname,
    // Not even $myhostname is local: every mailbox is one of Dovecot's.
    mydestination: "",
    local_recipient_maps: "",
    local_transport: "error:no local mailboxes",
    mynetworks: "127.0.0.0/8 [::1]/128",
    virtual_mailbox_domains: domains.join(" "),
    virtual_mailbox_maps: table("mailboxes"),
    virtual_alias_maps: table("aliases"),
    smtpd_sender_login_maps: table("senders"),
    virtual_transport: "lmtp:unix:private/dovecot-lmtp",
    recipient_delimiter: "+",
    message_size_limit: String(messageSizeBytes),
    virtual_mailbox_limit: "0",
    mailbox_size_limit: "0",
    // Dovecot 2.3 has no SMTPUTF8: say so to the sender instead of bouncing later.
    smtputf8_enable: "no",
    // Names no software to strangers.
    smtpd_banner: "$myhostname ESMTP",
  };
}

/** The guard (SMTPD_POLICY_README). Without an answer mail goes on under the static restrictions below. */
function policy(): Readonly<Record<string, string>> {
  return {
    ghostinbox_context: "smtp",
    // One text for all stages of a service: each distinct text is a connection of its own in every smtpd.
    ghostinbox_guard:
      "check_policy_service { unix:ghostinbox/policy, timeout=5s, try_limit=2, default_action=DUNNO, " +
      "policy_context=$ghostinbox_context }",
  };
}

function restrictions(): Readonly<Record<string, string>> {
  return {
    // With the default, "yes", a client that never names a recipient is never seen.
    smtpd_delay_reject: "no",
    smtpd_helo_required: "yes",
    strict_rfc821_envelopes: "yes",
    disable_vrfy_command: "yes",
    // "User unknown", without "in virtual mailbox table".
    show_user_unknown_table_name: "no",
    smtpd_forbid_bare_newline: "yes",
    smtpd_forbid_unauth_pipelining: "yes",
    smtpd_client_restrictions: "$ghostinbox_guard",
    smtpd_sender_restrictions: "reject_non_fqdn_sender",
    smtpd_relay_restrictions: "reject_unauth_destination",
    smtpd_recipient_restrictions: "reject_non_fqdn_recipient, reject_unlisted_recipient, $ghostinbox_guard",
    smtpd_data_restrictions: "reject_unauth_pipelining, $ghostinbox_guard",
    smtpd_end_of_data_restrictions: "$ghostinbox_guard",
    smtpd_client_event_limit_exceptions: "$mynetworks",
    smtpd_client_connection_count_limit: "50",
    smtpd_sasl_auth_enable: "no",
    smtpd_sasl_type: "dovecot",
    smtpd_sasl_path: "private/auth",
    smtpd_sasl_security_options: "noanonymous",
  };
}

function encryption({ tls }: Site): Readonly<Record<string, string>> {
  const versions = ">=TLSv1.2";
  return {
    smtpd_tls_security_level: "may",
    // The key comes first (postconf(5), smtpd_tls_chain_files).
    smtpd_tls_chain_files: `${tls.key}, ${tls.cert}`,
    smtpd_tls_protocols: versions,
    smtpd_tls_mandatory_protocols: versions,
    smtpd_tls_mandatory_ciphers: "high",
    smtpd_tls_auth_only: "yes",
    smtpd_tls_received_header: "yes",
    smtpd_tls_loglevel: "1",
    smtp_tls_security_level: "may",
    smtp_tls_protocols: versions,
    smtp_tls_mandatory_protocols: versions,
    smtp_tls_CAfile: "/etc/ssl/certs/ca-certificates.crt",
    smtp_tls_loglevel: "1",
    tls_preempt_cipherlist: "yes",
    tls_ssl_options: "NO_COMPRESSION, NO_RENEGOTIATION",
  };
}
