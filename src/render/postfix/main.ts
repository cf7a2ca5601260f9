import { isV4, type Prefix } from "../../core/net/ip.ts";
import { RENDERED_BY, type Site } from "../site.ts";
import { postfixServerTls } from "../tls.ts";
import { postfixMilters } from "./milters.ts";
import { postfixOutbound } from "./outbound.ts";
import { TABLES } from "./tables.ts";

/**
 * main.cf (postconf(5)). Port 25 takes mail for our mailboxes only, from anyone, loopback included: behind a proxy
 * all the world may come from loopback. What users send comes through submission (master.cf).
 */
export function renderPostfixMain(site: Site): string {
  const lines = Object.entries(parameters(site)).map(([name, value]) => `${name} = ${value}`.trimEnd());
  return `# ${RENDERED_BY}\n${lines.join("\n")}\n`;
}

function parameters(site: Site): Readonly<Record<string, string>> {
  return {
    ...places(site),
    ...addresses(site),
    ...policy(),
    ...greylisting(),
    ...restrictions(),
    ...limits(site),
    ...postfixServerTls(site),
    ...postfixOutbound(site),
    ...postfixMilters(site),
  };
}

function places({ layout, ipv6 }: Site): Readonly<Record<string, string>> {
  return {
    compatibility_level: "3.6",
    queue_directory: layout.postfixQueue,
    data_directory: layout.postfixData,
    maillog_file: layout.mailLog,
    // What failed or was killed with its first client is tried again soon, not in a minute.
    service_throttle_time: "2s",
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

function addresses({ hostname, domains, messageSizeBytes, recipientsPerMail }: Site): Readonly<Record<string, string>> {
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
    smtpd_recipient_limit: String(recipientsPerMail),
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
      "check_policy_service { unix:ghostinbox/policy, timeout=2s, try_limit=2, default_action=DUNNO, " +
      "policy_context=$ghostinbox_context }",
  };
}

/** A restriction class of its own, so that the guard's answer says who is asked to come again, and Postgrey when. */
function greylisting(): Readonly<Record<string, string>> {
  return {
    smtpd_restriction_classes: "greylist",
    greylist: "check_policy_service { unix:postgrey/socket, timeout=2s, try_limit=1, default_action=DUNNO }",
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
    smtpd_etrn_restrictions: "reject",
    // A stranger's wish for a receipt would make this server write to whomever he claims to be.
    smtpd_discard_ehlo_keywords: "silent-discard, dsn, etrn",
    // A message ends with CR LF . CR LF and with nothing else, from whomever it comes: no smuggling.
    smtpd_forbid_bare_newline: "normalize",
    smtpd_forbid_bare_newline_exclusions: "",
    // It would hang up on who talks before the greeting, but before the guard has counted him; the restriction of that
    // name refuses all that he says, from the connection on, and what is pipelined out of turn (RFC 2920) likewise.
    smtpd_forbid_unauth_pipelining: "no",
    smtpd_client_restrictions: "$ghostinbox_guard, reject_unauth_pipelining",
    smtpd_helo_restrictions: "reject_unauth_pipelining, reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
    // Whether the domain exists is asked by the guard: without an answer of the DNS it lets mail in, Postfix would not.
    smtpd_sender_restrictions: "reject_non_fqdn_sender",
    smtpd_relay_restrictions: "reject_unauth_destination",
    // The guard first: who asks for names that do not exist is probing.
    smtpd_recipient_restrictions: "reject_non_fqdn_recipient, $ghostinbox_guard, reject_unlisted_recipient",
    smtpd_data_restrictions: "reject_unauth_pipelining, $ghostinbox_guard",
    smtpd_end_of_data_restrictions: "$ghostinbox_guard",
    smtpd_sasl_auth_enable: "no",
    smtpd_sasl_type: "dovecot",
    smtpd_sasl_path: "private/auth",
    smtpd_sasl_security_options: "noanonymous",
  };
}

/** anvil(8), the second line behind guard and firewall: it counts by single address and minute of the clock. */
function limits({ limits: { connectionsAtOnce, mailsPerMinute, exempt } }: Site): Readonly<Record<string, string>> {
  return {
    smtpd_client_connection_count_limit: String(connectionsAtOnce),
    smtpd_client_message_rate_limit: String(mailsPerMinute),
    smtpd_client_event_limit_exceptions: ["$mynetworks", ...exempt.map(inMatchList)].join(" "),
  };
}

/** IPv6 stands in brackets in a list of networks (postconf(5), mynetworks). */
function inMatchList(network: Prefix): string {
  return isV4(network) ? network : `[${network.replace("/", "]/")}`;
}
