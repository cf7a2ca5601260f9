import { MOST_FORWARDS } from "../../admin/mailboxes.ts";
import { shareOfOneClient } from "../../core/firewall/connection-shares.ts";
import { isV4, PROBE_ADDRESS, type Prefix } from "../../core/net/ip.ts";
import { hostAndPort, SUBMISSIONS } from "../../settings/ports.ts";
import {
  domainPattern,
  RELAY_LOGIN,
  type Relay,
  type RenderedFile,
  rendered,
  type Site,
  SYSTEM_AUTHORITIES,
} from "../configuration/site.ts";
import { postfixServerTls } from "../configuration/tls.ts";
import { QUOTA_SOCKET } from "../dovecot/quota.ts";
import { DOMAIN_LEFT, NO_MAILBOXES } from "../logs/patterns.ts";
import { REPORTS } from "./bounces.ts";
import { PROBE_SENDS_NOTHING, postfixMilters } from "./milters.ts";

/**
 * main.cf (postconf(5)). Port 25 accepts mail only for our mailboxes, from anyone, loopback included: behind a proxy,
 * everyone may come from loopback. Users' mail comes through submission (master.cf).
 */
export function renderPostfixMain(site: Site): string {
  return Object.entries(parameters(site))
    .map(([name, value]) => `${`${name} = ${value}`.trimEnd()}\n`)
    .join("");
}

/** Postfix checks the free space only when a mail starts (postconf(5), queue_minfree), and several may be arriving at once. */
const RESERVED_MAILS = 10;

/** Free space reserved for the guard's databases, the logs and mail that was already accepted. */
export function reservedBytes(messageSizeBytes: number): number {
  return RESERVED_MAILS * messageSizeBytes;
}

function parameters(site: Site): Readonly<Record<string, string>> {
  return {
    ...basics(site),
    ...addresses(site),
    ...delivery(site),
    ...GUARD_QUESTION,
    ...GREYLISTING,
    ...restrictions(site),
    ...limits(site),
    ...postfixServerTls(site),
    ...postfixOutbound(site),
    ...postfixMilters(site),
    // Last: while the server is isolated, these override the parameters above.
    ...postfixIsolation(site),
  };
}

function basics({ layout, ipv6 }: Site): Readonly<Record<string, string>> {
  return {
    compatibility_level: "3.6",
    queue_directory: layout.postfixQueue,
    // A short id contains the file's inode number, so a restore would rename the mail, and records about the id would be lost.
    enable_long_queue_ids: "yes",
    data_directory: layout.postfixData,
    maillog_file: layout.mailLog,
    // A service that failed with its first client is retried soon, not after a minute.
    service_throttle_time: "2s",
    maillog_file_prefixes: layout.log,
    inet_protocols: ipv6 ? "all" : "ipv4",
  };
}

function addresses({ hostname, domains, messageSizeBytes, recipientsPerMail }: Site): Readonly<Record<string, string>> {
  return {
    myhostname: hostname,
    myorigin: domains[0] ?? hostname,
    // Not even $myhostname is local: every mailbox is in Dovecot.
    mydestination: "",
    // Local users who may put mail into the queue (postdrop(1)); all others sign in.
    authorized_submit_users: "root",
    local_recipient_maps: "",
    local_transport: "error:no local mailboxes",
    mynetworks: "127.0.0.0/8 [::1]/128",
    virtual_mailbox_domains: domains.join(" "),
    virtual_mailbox_maps: table("mailboxes"),
    virtual_alias_maps: table("aliases"),
    smtpd_sender_login_maps: table("senders"),
    recipient_delimiter: "+",
    // Mail goes to exactly the target of an alias or forward: its server may not support extensions.
    propagate_unmatched_extensions: "",
    message_size_limit: String(messageSizeBytes),
    // With less free space Postfix accepts no mail (452 4.3.1), and clients retry.
    queue_minfree: String(reservedBytes(messageSizeBytes)),
    smtpd_recipient_limit: String(recipientsPerMail),
    // Dovecot 2.3 has no SMTPUTF8: refuse now instead of bouncing later.
    smtputf8_enable: "no",
    // Does not name the software to strangers.
    smtpd_banner: "$myhostname ESMTP",
  };
}

/** Delivers to Dovecot, over LMTP. */
function delivery({ outbound }: Site): Readonly<Record<string, string>> {
  return {
    virtual_transport: "lmtp:unix:private/dovecot-lmtp",
    // By default Postfix inserts a line break and a space after 998 bytes of a line, which damages links, characters and signatures.
    lmtp_line_length_limit: "0",
    // One recipient at a time makes each mailbox a separate destination (postconf(5)): if one takes a minute for each mail, as with tens
    // of thousands of folders, or its delivery fails, the others do not wait. Dovecot then stores a separate copy for each mailbox.
    lmtp_destination_recipient_limit: "1",
    lmtp_destination_concurrency_limit: String(Math.ceil(outbound.atOnce / 4)),
  };
}

/**
 * The guard (SMTPD_POLICY_README). Without an answer the client must retry, so slowing the guard down bypasses no limit. While it is dead,
 * the stand-in answers in its place (`programs/guard/stand-in.ts`).
 */
const GUARD_QUESTION: Readonly<Record<string, string>> = {
  ghostinbox_context: "smtp",
  smtpd_policy_service_default_action: "421 4.3.2 Service not available, try again later",
  // One text for all stages of a service, because every smtpd opens another connection for each distinct text.
  ghostinbox_guard:
    "check_policy_service { unix:ghostinbox/policy, timeout=4s, try_limit=3, policy_context=$ghostinbox_context }",
  // Asks Dovecot about full mailboxes. Without an answer the mail waits in the queue.
  ghostinbox_quota: `check_policy_service { unix:private/${QUOTA_SOCKET}, timeout=2s, try_limit=1, default_action=DUNNO }`,
};

/** A separate restriction class, because the guard's answer decides who must retry, and Postgrey decides when. */
const GREYLISTING: Readonly<Record<string, string>> = {
  smtpd_restriction_classes: "greylist, greylist_unknown",
  ghostinbox_postgrey: "check_policy_service { unix:postgrey/socket, timeout=2s, try_limit=1, default_action=DUNNO }",
  greylist: "$ghostinbox_postgrey",
  // For a recipient that does not exist: Postgrey defers it as it would a real one. Its answer, DEFER_IF_PERMIT, counts only if nothing
  // refuses, so `permit` ends the list before `reject_unlisted_recipient`. After the delay, smtpd_reject_unlisted_recipient refuses.
  greylist_unknown: "$ghostinbox_postgrey, permit",
};

function restrictions({ domains, limits: { exempt } }: Site): Readonly<Record<string, string>> {
  // Devices often use a bare HELO name.
  const exemptHelo = `check_client_access cidr:{ ${exempt.map((network) => `{ ${network} OK }`).join(" ")} }`;
  return {
    smtpd_command_filter: commandFilter(domains),
    // With the default, "yes", a client that never names a recipient would not be seen.
    smtpd_delay_reject: "no",
    smtpd_helo_required: "yes",
    strict_rfc821_envelopes: "yes",
    // Otherwise `a%b@c` would be delivered to `a@b`.
    allow_percent_hack: "no",
    swap_bangpath: "no",
    disable_vrfy_command: "yes",
    // Replies "User unknown", without "in virtual mailbox table".
    show_user_unknown_table_name: "no",
    smtpd_etrn_restrictions: "reject",
    // A stranger's request for a receipt would make this server write to an address that may be forged.
    smtpd_discard_ehlo_keywords: "silent-discard, dsn, etrn",
    // A message ends only with CR LF . CR LF, from every client: no smuggling.
    smtpd_forbid_bare_newline: "normalize",
    smtpd_forbid_bare_newline_exclusions: "",
    // "yes" would hang up on a client that talks before the greeting, before the guard has counted it.
    // reject_unauth_pipelining refuses such a client instead, and commands sent out of turn (RFC 2920).
    smtpd_forbid_unauth_pipelining: "no",
    // The server's own probe of the greeting does not count as a client, and is answered even while the guard hangs.
    smtpd_client_restrictions: `check_client_access inline:{ { ${PROBE_ADDRESS} = OK } }, $ghostinbox_guard, reject_unauth_pipelining`,
    smtpd_helo_restrictions: `reject_unauth_pipelining, ${exemptHelo}, reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname`,
    // The guard checks whether the domain exists: without an answer from the DNS it accepts the mail, and Postfix would defer it.
    smtpd_sender_restrictions: `${PROBE_SENDS_NOTHING}, ${shortOnly("sender")}, reject_non_fqdn_sender`,
    smtpd_relay_restrictions: `check_recipient_access ${table("left_domain")}, reject_unauth_destination`,
    // The guard comes before reject_unlisted_recipient, because it counts unknown names as probing.
    smtpd_recipient_restrictions: `reject_non_fqdn_recipient, ${shortOnly("recipient")}, check_recipient_access ${table("no_mailbox")}, $ghostinbox_guard, reject_unlisted_recipient, $ghostinbox_quota`,
    smtpd_data_restrictions: "reject_unauth_pipelining, $ghostinbox_guard",
    smtpd_end_of_data_restrictions: "$ghostinbox_guard",
    smtpd_sasl_type: "dovecot",
    smtpd_sasl_path: "private/auth",
  };
}

/**
 * Refuses addresses far beyond the longest of RFC 5321, 4.5.3.1.3, which is 256 characters. Postfix cuts a line of its log after 2,000,
 * so the guard would not learn what became of such a mail.
 */
export function shortOnly(of: "sender" | "recipient"): string {
  return `check_${of}_access regexp:{ { /^.{321}/ REJECT Address too long } }`;
}

/**
 * Rewrites commands before smtpd(8) parses them. Postfix, the milters and the readers of its log disagree about addresses that RFC 5321,
 * 4.1.2, does not allow (with spaces, comments, more brackets, a trailing dot): MAIL and RCPT lose such an address and get a 501. Brackets
 * in quotes, or in a HELO name, would imitate the log's own, so such an address is refused too, and such a name becomes `unknown`.
 * Parentheses or semicolons in quotes would imitate results in the `Authentication-Results` that Rspamd adds. A source route is removed
 * (4.1.1.3). A first word with characters that smtpd may ignore could hide either command, so it ends the session, as a header line does.
 * `postmaster` without a domain (4.5.1) gets ours: Postfix would accept it without asking any restriction.
 */
function commandFilter([domain]: readonly string[]): string {
  const mail = "MAIL[[:space:]]+FROM:[[:space:]]*<";
  const rcpt = "RCPT[[:space:]]+TO:[[:space:]]*<";
  const route = "@[^:>]*:";
  const postmaster = String.raw`postmaster|"${[..."postmaster"].map((letter) => String.raw`\\?${letter}`).join("")}"`;
  const local = String.raw`([^[:space:]"\\<>(),;:@]+|"([^"\\<>();]|\\[^<>();])*")`;
  const host = String.raw`[^[:space:]"\\<>(),;@]*[^[:space:]"\\<>(),;@.]`;
  const end = ">([[:space:]].*)?";
  const path = `(${local}(@${host})?)?${end}`;
  const rules = [
    String.raw`/^([[:space:]]|[^[:space:]]*["\\<:])/ UNKNOWN:`,
    "/^((EHLO|HELO)[[:space:]]).*[<>]/ $${1}unknown",
    `/^(${rcpt})(${route})?(${postmaster})(${end})$$/ $$1$$3@${domain}$$4`,
    `/^(${mail}|${rcpt})${route}(${path})$$/ $$1$$2`,
    `!/^(${otherThan("MAIL")}|${mail}${path}$$)/ MAIL`,
    `!/^(${otherThan("RCPT")}|${rcpt}${path}$$)/ RCPT`,
  ];
  return `regexp:{ ${rules.map((rule) => `{ ${rule} }`).join(" ")} }`;
}

/** Matches a line whose first word is not this one. POSIX has no lookahead. */
function otherThan(word: string): string {
  const others = [...word].map((letter, at) => `${word.slice(0, at)}([^${letter}]|$$)`);
  return [...others, `${word}[^[:space:]]`].join("|");
}

/** anvil(8), the second line behind guard and firewall. It counts single addresses, in fixed windows of a minute. */
function limits({
  limits: { smtpPlaces, connectionsAtOnce, mailsPerMinute, exempt },
}: Site): Readonly<Record<string, string>> {
  return {
    // Postfix's notices to the postmaster would contain what strangers typed. The guard sends alerts instead.
    notify_classes: "",
    // Idle processes end soon, so that a burst of mail does not occupy memory for long.
    max_idle: "20s",
    // The default for services of master.cf.
    default_process_limit: String(smtpPlaces),
    smtpd_client_connection_count_limit: String(Math.min(shareOfOneClient(smtpPlaces), connectionsAtOnce)),
    smtpd_client_message_rate_limit: String(mailsPerMinute),
    // Time limits apply to whole commands, so that slow single bytes do not extend them.
    smtpd_per_request_deadline: "yes",
    // By default Postfix hangs up at the first error while all processes are busy: a server with one outdated address on
    // its list could not deliver to the others.
    smtpd_hard_error_limit: "${stress?{10}:{20}}",
    smtpd_junk_command_limit: "${stress?{10}:{100}}",
    smtpd_client_event_limit_exceptions: ["$mynetworks", ...exempt.map(inMatchList)].join(" "),
  };
}

/** IPv6 is in brackets in a list of networks (postconf(5), mynetworks). */
function inMatchList(network: Prefix): string {
  return isV4(network) ? network : `[${network.replace("/", "]/")}`;
}

/**
 * A missing socket, whose name explains the delay in the queue. Not Postfix's own service `retry`: smtpd(8) refuses mail
 * for recipients routed to it, and mail to administrators must be accepted.
 */
const WAITS = "lmtp:unix:private/this-server-is-isolated";
/** Longer than an incident, so that no mail is returned because of its age while it is held. */
const HELD_TIME = "100d";

/**
 * Parameters of an isolated server: its mail stays in the queue. Each attempt fails temporarily, even one requested
 * with `queue flush`, so that nothing leaves and nothing is lost.
 */
function postfixIsolation({ isolated }: Pick<Site, "isolated">): Readonly<Record<string, string>> {
  if (!isolated.includes("receive") && !isolated.includes("send")) return {};
  return {
    ...(isolated.includes("receive") ? { virtual_transport: WAITS } : {}),
    ...(isolated.includes("send")
      ? { default_transport: WAITS, relay_transport: WAITS, relayhost: "", sender_dependent_default_transport_maps: "" }
      : {}),
    maximal_queue_lifetime: HELD_TIME,
    bounce_queue_lifetime: HELD_TIME,
    delay_warning_time: "0",
  };
}

/**
 * The services of master.cf that send what users write: each account is assigned one, which it shares only if there are more accounts than
 * services.
 */
export const LANES = Array.from({ length: 16 }, (_, nth) => `users${nth}`);
/** The service of master.cf that sends mail from an address of several accounts, because any of them may have written it. */
export const SHARED = "shared";
/** The service of master.cf that sends mail whose envelope sender is not ours: aliases and forwards keep it. */
export const FORWARDS = "forwards";

/** How mail is sent: with TLS if the other side offers it, and always if a relay gets a password. */
export function postfixOutbound({ domains, limits, outbound }: Site): Readonly<Record<string, string>> {
  const { relay } = outbound;
  return {
    default_destination_concurrency_limit: String(outbound.atOnce),
    ...(relay === null
      ? outgoingServices(domains, Math.min(outbound.atOnce, Math.ceil(limits.smtpPlaces / (2 * MOST_FORWARDS))))
      : {}),
    // Mail that the DNS leads back to this server waits if its domain may have left the settings by mistake. The pattern comes first, so
    // that other deliveries do not ask the database.
    smtp_delivery_status_filter: String.raw`pipemap:{ regexp:{ { /^5\.4\.6 mail for ([^ ]+) loops back to myself$$/ $$1 } }, ${table("left_loop")} }`,
    // Otherwise a server that sends single bytes holds a process for hours.
    smtp_per_request_deadline: "yes",
    // Large providers refuse mail for good from an IPv6 address without a PTR record, which many networks cannot have.
    smtp_address_preference: "ipv4",
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

/**
 * Mail of different kinds leaves through different services, so that slow servers never hold all processes: strangers choose where reports
 * and replies go, users where their mail and forwards go. The forwards of one user occupy at most half of the processes for forwards.
 */
function outgoingServices(domains: readonly string[], forwardsAtOnce: number): Readonly<Record<string, string>> {
  const others = `regexp:{ { /^<>$$/ ${REPORTS}: } { !/@(${domainPattern(domains)})$$/ ${FORWARDS}: } }`;
  return {
    sender_dependent_default_transport_maps: `${others}, ${table("lanes")}`,
    [`${FORWARDS}_destination_concurrency_limit`]: String(forwardsAtOnce),
  };
}

function toRelay(relay: Relay): Readonly<Record<string, string>> {
  return {
    relayhost: relay.nextHop,
    ...(hostAndPort(relay.nextHop).port === SUBMISSIONS
      ? { smtp_tls_wrappermode: "yes", smtp_tls_security_level: "encrypt" }
      : {}),
    ...(relay.login === null
      ? {}
      : {
          smtp_tls_security_level: "secure",
          smtp_sasl_auth_enable: "yes",
          smtp_sasl_password_maps: `texthash:$config_directory/${RELAY_LOGIN}`,
          smtp_sasl_security_options: "noanonymous",
        }),
  };
}

/**
 * The login at the relay; an empty table if there is none, so that no old password stays. texthash(5): read as root before smtp(8) drops
 * its privileges, so no other user needs to read it.
 */
export function renderRelayLogin({ outbound: { relay } }: Site): RenderedFile {
  const login = relay?.login ?? null;
  const line = relay === null || login === null ? "" : `${relay.nextHop} ${login.user}:${login.password}\n`;
  return rendered(RELAY_LOGIN, line, 0o600);
}

/** Lookups in accounts.db (sqlite_table(5)). The views are in store/accounts-db/schema.ts; `alias_map` has forwards too. */
export const TABLES = {
  mailboxes: { file: "mailboxes.cf", query: "SELECT address FROM mailbox WHERE address = '%s'" },
  aliases: { file: "aliases.cf", query: "SELECT targets FROM alias_map WHERE address = '%s'" },
  // A server without any mailbox refuses no mail for good: it may have started before the disk with its data was mounted.
  no_mailbox: {
    file: "no-mailbox.cf",
    query: `SELECT '450 4.3.0 ${NO_MAILBOXES}' WHERE NOT EXISTS (SELECT 1 FROM account) AND NOT EXISTS (SELECT 1 FROM alias)`,
  },
  // A domain whose accounts are still here may have left the settings by mistake: mail from other servers waits until someone notices.
  left_domain: {
    file: "left-domain.cf",
    query: `SELECT '450 4.3.0 ${DOMAIN_LEFT}' ${fromLeft("%d")}`,
  },
  left_loop: { file: "left-loop.cf", query: `SELECT '4.4.6 mail for %s loops back to myself' ${fromLeft("%s")}` },
  senders: {
    file: "senders.cf",
    query: "SELECT group_concat(login, ',') FROM sender_login WHERE address = '%s' GROUP BY address",
  },
  // An address gets the lane of its account: the account's position in the alphabetical list, modulo the number of lanes.
  lanes: {
    file: "lanes.cf",
    query: `SELECT iif(count(*) > 1, '${SHARED}', 'users' || ((SELECT count(*) FROM account WHERE name < login) %% ${LANES.length})) || ':' FROM sender_login WHERE address = '%s' GROUP BY address`,
  },
} as const;

/** One row if the domain still has an account or alias and is not in the settings. */
function fromLeft(domain: string): string {
  return `FROM (SELECT name AS address FROM account UNION ALL SELECT address FROM alias) WHERE substr(address, instr(address, '@') + 1) = '${domain}' COLLATE NOCASE AND '${domain}' NOT IN (OURS) LIMIT 1`;
}

/** Uses $config_directory, so that a copy of the configuration that is being tested finds its own tables. */
function table(name: keyof typeof TABLES): string {
  return `proxy:sqlite:$config_directory/${TABLES[name].file}`;
}

export function renderPostfixTables({ layout, domains }: Site): readonly RenderedFile[] {
  // `domain` skips the database for addresses of foreign domains.
  const ofOurs = `domain = ${domains.join(" ")}\n`;
  const quoted = domains.map((domain) => `'${domain}'`).join(", ");
  return Object.values(TABLES).map(({ file, query }) => {
    const asks = `dbpath = ${layout.accountsDb}\nquery = ${query.replace("OURS", quoted)}\n`;
    return rendered(file, query.includes("OURS") ? asks : asks + ofOurs);
  });
}
