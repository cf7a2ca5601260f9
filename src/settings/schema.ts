import { DAY_MS, SECOND_MS } from "../core/time.ts";
import {
  address,
  ascending,
  decimal,
  domain,
  duration,
  flag,
  hostName,
  type Kind,
  listOf,
  localPart,
  loginName,
  loopback,
  mailAddress,
  network,
  nextHop,
  oneLine,
  oneOf,
  orEmpty,
  path,
  port,
  quietHours,
  selector,
  senderPattern,
  size,
  stubZone,
  timeZone,
  url,
  wholeNumber,
} from "./kinds.ts";

/** One setting: what it accepts, its default as one would write it, and what it does. */
export type Setting<T> = Readonly<{
  kind: Kind<T>;
  byDefault: unknown;
  /** One sentence. */
  says: string;
  /** Where the rule or the default comes from. */
  source?: string;
  /** The environment variable, where it is not the one that follows from the key. */
  variable?: string;
  /** Never printed. */
  secret?: boolean;
}>;

const count = wholeNumber(1, 1_000_000);
const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;

/** Every setting. The key is the path in `ghostinbox.toml`; a new one is read by something, or it does not stand here. */
export const schema = {
  domains: {
    kind: listOf(domain, 1_000),
    byDefault: [],
    says: "Mail domains of this server; the first one names it.",
    variable: "GHOSTINBOX_DOMAIN",
  },
  hostname: {
    kind: orEmpty(hostName),
    byDefault: "",
    says: "Name of this server in its greeting, HELO and certificate; empty stands for `mail.` before the first domain.",
    source: "RFC 5321 section 4.1.1.1",
  },

  "limits.mail.per_minute": {
    kind: count,
    byDefault: 10,
    says: "Mails of one stranger, or of one account, within any 60 seconds.",
  },
  "limits.mail.per_hour": {
    kind: count,
    byDefault: 50,
    says: "Mails of one stranger, or of one account, within any hour.",
  },
  "limits.mail.per_day": {
    kind: count,
    byDefault: 200,
    says: "Mails of one stranger, or of one account, within any 24 hours.",
  },
  "limits.mail.per_session": {
    kind: count,
    byDefault: 5,
    says: "Mails of a stranger in one connection; then it is asked to connect anew, which is no offence.",
  },
  "limits.mail.postfix_per_minute": {
    kind: count,
    byDefault: 20,
    says: "Mails of one address within a minute that Postfix takes by its own count, whether or not the guard runs.",
    source: "postconf(5), smtpd_client_message_rate_limit",
  },
  "limits.mail.max_size": {
    kind: size(64 * KB, GB),
    byDefault: "10MB",
    says: "Largest mail that is taken, with its headers and attachments.",
    source: "postconf(5), message_size_limit",
  },
  "limits.mail.recipients": {
    kind: count,
    byDefault: 100,
    says: "Recipients of one mail; further ones are told to come with the next.",
    source: "postconf(5), smtpd_recipient_limit; RFC 5321, 4.5.3.1.8 asks for no less than 100",
  },
  "limits.recipients.unknown_per_hour": {
    kind: count,
    byDefault: 10,
    says: "Recipients that do not exist, asked for by one address within any hour, before it is banned.",
  },
  "limits.connections.per_minute": {
    kind: count,
    byDefault: 20,
    says: "Connections of one address to the SMTP ports within any 60 seconds.",
  },
  "limits.connections.per_hour": {
    kind: count,
    byDefault: 100,
    says: "Connections of one address to the SMTP ports within any hour.",
  },
  "limits.connections.concurrent": {
    kind: count,
    byDefault: 10,
    says: "Connections that one address, or one IPv6 network of `bans.ipv6_prefix`, may hold at once to each mail port.",
    source: "nft(8), ct count; postconf(5), smtpd_client_connection_count_limit",
  },
  "limits.logins.failures": {
    kind: wholeNumber(1, 1_000),
    byDefault: 5,
    says: "How many different wrong passwords from one address bring a ban.",
  },
  "limits.logins.window": {
    kind: duration(SECOND_MS, 7 * DAY_MS),
    byDefault: "10m",
    says: "How long a wrong password counts.",
  },
  "limits.accounts.failures": {
    kind: wholeNumber(1, 1_000),
    byDefault: 20,
    says: "How many different wrong passwords for one account guard it, no more than a quarter of them from one network: then only known networks may sign in.",
  },
  "limits.accounts.window": {
    kind: duration(SECOND_MS, 7 * DAY_MS),
    byDefault: "1h",
    says: "How long a wrong password counts against the account.",
  },
  "limits.accounts.known_for": {
    kind: duration(SECOND_MS, 180 * DAY_MS),
    byDefault: "90d",
    says: "How long an account knows a network from which it signed in.",
  },
  "limits.networks.failures": {
    kind: count,
    byDefault: 30,
    says: "How many wrong passwords out of one network (IPv4 /24, IPv6 /48) ban all of it, if no account signed in from there lately.",
  },
  "limits.networks.window": {
    kind: duration(SECOND_MS, 7 * DAY_MS),
    byDefault: "1h",
    says: "How long a wrong password counts against the network.",
  },

  "greylist.enabled": {
    kind: flag,
    byDefault: true,
    says: "Whether strangers who write for the first time are asked to come again, by Postgrey.",
    source: "RFC 6647",
  },
  "greylist.delay": {
    kind: duration(SECOND_MS, DAY_MS),
    byDefault: "5m",
    says: "How long a stranger must wait before it may come again; what comes sooner is asked to wait on.",
    source: "postgrey(8), --delay",
  },
  "greylist.providers": {
    kind: listOf(domain, 100),
    byDefault: [
      "google.com",
      "outlook.com",
      "microsoft.com",
      "yahoo.com",
      "aol.com",
      "icloud.com",
      "apple.com",
      "proton.me",
      "fastmail.com",
      "gmx.net",
      "web.de",
      "t-online.de",
      "posteo.de",
      "mailbox.org",
      "zoho.com",
      "amazonses.com",
      "mailgun.org",
      "sendgrid.net",
      "spf.mailjet.com",
      "spf.mandrillapp.com",
      "servers.mcsv.net",
      "spf.mtasv.net",
      "github.com",
      "linkedin.com",
      "facebookmail.com",
      "paypal.com",
    ],
    says: "Large senders that are never greylisted, by the networks of their SPF records, which are read each day; those of `providers.domains` are known by name besides.",
    source: "RFC 7208",
  },

  "recipients.blocked": {
    kind: listOf(localPart, 200),
    byDefault: [
      "admin",
      "administrator",
      "root",
      "info",
      "sales",
      "support",
      "marketing",
      "contact",
      "office",
      "webmaster",
      "hostmaster",
      "noc",
      "mail",
      "test",
      "www",
      "ftp",
      "news",
      "usenet",
      "uucp",
    ],
    says: "Names that spammers try everywhere: refused unless an account or an alias has the name.",
    source: "RFC 2142; `postmaster` is never blocked (RFC 5321 section 4.5.1)",
  },

  "spam.enabled": {
    kind: flag,
    byDefault: true,
    says: "Whether strangers' mail is scored by SpamAssassin; its programs start and end with the server.",
  },
  "spam.required_score": {
    kind: decimal(0.1, 1_000),
    byDefault: 5,
    says: "Score from which a mail is marked [SPAM] and delivered to Junk.",
    source: "Mail::SpamAssassin::Conf(3), required_score",
  },
  "spam.refuse_score": {
    kind: decimal(0, 1_000_000),
    byDefault: 15,
    says: "Score from which a mail is refused while its sender still waits, in whole points; 0 refuses none.",
    source: "spamass-milter(8), -r",
  },
  "spam.allow_from": {
    kind: listOf(senderPattern, 1_000),
    byDefault: [],
    says: "Senders that are hardly ever spam, by what they claim to be: a forged one is believed, so prefer `spam allow add`.",
    source: "Mail::SpamAssassin::Conf(3), whitelist_from",
  },
  "spam.on_failure": {
    kind: oneOf("pass", "wait"),
    byDefault: "pass",
    says: "What a mail does while the spam filter is dead or frozen: `pass` unmarked, or `wait` at its sender's until the filter is back.",
    source: "postconf(5), milter_default_action",
  },
  "spam.rules": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File of your own SpamAssassin rules and scores, read after all others.",
    source: "Mail::SpamAssassin::Conf(3)",
  },
  "dkim.verify": {
    kind: flag,
    byDefault: true,
    says: "Whether signatures, SPF and DMARC of mail from others are verified; off behind a gateway that does it.",
    source: "RFC 6376, RFC 7208, RFC 7489",
  },
  "dkim.selector": {
    kind: selector,
    byDefault: "ghostinbox",
    says: "Name under which the public keys of your signatures are published; another one makes new keys.",
    source: "RFC 6376 section 3.1",
  },

  "logins.networks": {
    kind: listOf(network, 1_000),
    byDefault: [],
    says: "From where users may sign in to read and send mail; empty stands for anywhere. `account networks` narrows it for one account.",
    source: "Dovecot, allow_nets",
  },

  "accounts.administrator": {
    kind: orEmpty(mailAddress),
    byDefault: "",
    says: "Who gets the mail for postmaster@ and abuse@ of every domain where nobody is called so; empty stands for the first account.",
    source: "RFC 5321 section 4.5.1, RFC 2142",
  },
  "accounts.follow": {
    kind: orEmpty(path),
    byDefault: "",
    says: "A file in the format of postfix-accounts.cf whose accounts are kept as it says; a line that goes suspends its account.",
  },

  "bans.ladder": {
    kind: ascending(duration(SECOND_MS), 10),
    byDefault: ["30m", "2h", "24h"],
    says: "How long the first ban of an address lasts, the second, and so on; the last is repeated.",
  },
  "bans.permanent": {
    kind: flag,
    byDefault: false,
    says: "Whether an offence past the end of the ladder bans for good.",
  },
  "bans.memory": {
    kind: duration(SECOND_MS),
    byDefault: "7d",
    says: "How long an offence counts towards the next ban.",
  },
  "bans.ipv6_prefix": {
    kind: wholeNumber(32, 128),
    byDefault: 64,
    says: "Length of the IPv6 network that is counted and banned as one.",
    source: "RFC 6177: a site gets at least a /64",
  },
  "bans.neighbours": {
    kind: count,
    byDefault: 5,
    says: "How many banned addresses of one network (IPv4 /24, IPv6 /48) within `bans.memory` ban all of it, if no account signed in from there.",
  },
  "bans.manual": {
    kind: duration(SECOND_MS),
    byDefault: "24h",
    says: "How long a ban by command lasts when no time is given.",
  },

  "allow.networks": {
    kind: listOf(network, 10_000),
    byDefault: ["127.0.0.1", "::1"],
    says: "Addresses and networks that are never limited or banned, besides those of `allow add`.",
  },
  "providers.domains": {
    kind: listOf(domain, 1_000),
    byDefault: [
      "google.com",
      "outlook.com",
      "yahoo.com",
      "icloud.com",
      "me.com",
      "apple.com",
      "protonmail.ch",
      "proton.ch",
      "messagingengine.com",
      "gmx.net",
      "web.de",
      "kundenserver.de",
      "t-online.de",
      "zoho.com",
      "zoho.eu",
      "mail.yandex.net",
      "amazonses.com",
      "mailgun.net",
      "sendgrid.net",
      "mailjet.com",
      "mandrillapp.com",
      "mcsv.net",
      "rsgsv.net",
      "mtasv.net",
      "sparkpostmail.com",
      "github.com",
      "linkedin.com",
      "facebook.com",
    ],
    says: "Large providers, by forward-confirmed host name of their mail servers: over a limit they are asked to come again, never banned.",
  },

  "tls.cert": {
    kind: orEmpty(path),
    byDefault: "",
    says: "Certificate chain in PEM; empty stands for a self-signed one.",
  },
  "tls.key": { kind: orEmpty(path), byDefault: "", says: "Private key of `tls.cert` in PEM." },
  "tls.profile": {
    kind: oneOf("modern", "seed"),
    byDefault: "modern",
    says: "Ciphers up to TLS 1.2 on every port: `modern` has forward secrecy and authenticated encryption only, `seed` is the seed's list; below TLS 1.2 nothing is spoken.",
    source: "RFC 9325 section 4.2",
  },

  "outbound.queue_lifetime": {
    kind: duration(60 * SECOND_MS, 30 * DAY_MS),
    byDefault: "5d",
    says: "How long a mail that cannot be delivered is tried again before its sender gets it back.",
    source: "RFC 5321 section 4.5.4.1: at least 4 to 5 days",
  },
  "outbound.bounce_lifetime": {
    kind: duration(60 * SECOND_MS, 30 * DAY_MS),
    byDefault: "1d",
    says: "The same for a delivery report, whose own sender is nobody.",
    source: "postconf(5), bounce_queue_lifetime",
  },
  "outbound.delay_warning": {
    kind: duration(0, 30 * DAY_MS),
    byDefault: "4h",
    says: "After how long a sender is told that a mail still waits; `0s` for never.",
    source: "postconf(5), delay_warning_time",
  },
  "outbound.relay": {
    kind: orEmpty(nextHop),
    byDefault: "",
    says: "Server that takes all mail to others, with its port; empty sends it straight to the recipients' servers.",
    source: "postconf(5), relayhost",
  },
  "outbound.relay_user": {
    kind: orEmpty(loginName),
    byDefault: "",
    says: "Name to sign in with at the relay; it is told over verified TLS only.",
  },
  "outbound.relay_password_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line is the password for the relay; only root need be able to read it.",
  },
  "outbound.relay_ca": {
    kind: orEmpty(path),
    byDefault: "",
    says: "Certificate authorities in PEM that may vouch for the relay; empty stands for those of the system.",
  },

  "dnsbl.zones": {
    kind: listOf(domain, 20),
    byDefault: ["zen.spamhaus.org", "bl.spamcop.net"],
    says: "DNS block lists; a stranger that one of them names is refused.",
    source: "RFC 5782",
  },
  "dnsbl.check_every": {
    kind: duration(SECOND_MS, DAY_MS),
    byDefault: "5m",
    says: "How often each block list must prove itself by its test points; one set aside is asked first after a tenth of it.",
    source: "RFC 5782 section 5",
  },
  "dns.address": {
    kind: loopback,
    byDefault: "127.71.9.53",
    says: "Loopback address on which our own resolver answers this server's programs, on port 53.",
  },
  "dns.root_hints": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File with the root's name servers; empty stands for the internet's root.",
    source: "unbound.conf(5), root-hints",
  },
  "dns.trust_anchor": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File with the root's keys, by which answers are validated; empty stands for the internet's.",
    source: "RFC 4035; unbound.conf(5), trust-anchor-file",
  },
  "dns.stub": {
    kind: listOf(stubZone, 100),
    byDefault: [],
    says: "Zones that are asked of a server of their own, and believed unsigned.",
    source: "unbound.conf(5), stub-zone",
  },

  "ports.smtp": { kind: port, byDefault: 25, says: "Mail from other servers.", source: "RFC 5321" },
  "ports.submission": {
    kind: port,
    byDefault: 587,
    says: "Mail from the users, with STARTTLS.",
    source: "RFC 6409",
  },
  "ports.submissions": { kind: port, byDefault: 465, says: "Mail from the users, with TLS.", source: "RFC 8314" },
  "ports.imaps": { kind: port, byDefault: 993, says: "Mailboxes, with TLS.", source: "RFC 8314" },
  "ports.http": { kind: port, byDefault: 3000, says: "Dashboard and API, on `http.address`." },
  "ports.login_policy": {
    kind: port,
    byDefault: 10_025,
    says: "Where Dovecot asks the guard about logins, on loopback only.",
  },
  "ports.alerts": {
    kind: port,
    byDefault: 10_026,
    says: "Where the guard hands alerts to Postfix, on loopback only and for `alerts.email` only.",
  },

  "http.address": {
    kind: address,
    byDefault: "127.0.0.1",
    says: "Address on which dashboard and API listen; it speaks plain HTTP, so put a proxy with TLS before it.",
  },
  "http.names": {
    kind: listOf(hostName, 100),
    byDefault: [],
    says: "More names by which browsers call the dashboard; `hostname`, the domains and all below them are known anyway.",
  },
  "http.trusted_proxies": {
    kind: listOf(network, 100),
    byDefault: [],
    says: "Proxies whose X-Forwarded-For header is believed.",
  },

  "alerts.contacts": {
    kind: listOf(oneLine, 20),
    byDefault: [],
    says: "Whom to call when something is wrong, said in every alert: names, numbers, whatever helps.",
  },
  "alerts.email": {
    kind: listOf(mailAddress, 20),
    byDefault: [],
    says: "Who gets alerts by mail, through this server's own queue.",
  },
  "alerts.from": {
    kind: orEmpty(mailAddress),
    byDefault: "",
    says: "Sender of alerts by mail; empty stands for `postmaster@` the first domain.",
  },
  "alerts.relay_to": {
    kind: listOf(mailAddress, 20),
    byDefault: [],
    says: "Who gets alerts by mail through `alerts.relay`, past our own Postfix: they arrive when it is broken.",
  },
  "alerts.relay": {
    kind: orEmpty(nextHop),
    byDefault: "",
    says: "Outside server for `alerts.relay_to`, with its port; only over verified TLS (465 from the start, else STARTTLS).",
    source: "RFC 8314",
  },
  "alerts.relay_user": {
    kind: orEmpty(loginName),
    byDefault: "",
    says: "Name to sign in with at `alerts.relay`.",
  },
  "alerts.relay_password_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line is the password for `alerts.relay`; the user ghostinbox must be able to read it.",
  },
  "alerts.webhook": {
    kind: listOf(url, 10),
    byDefault: [],
    says: "Addresses to which alerts are posted as JSON.",
    source: "Standard Webhooks 1.0",
    secret: true,
  },
  "alerts.webhook_secret_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line signs what is posted, `whsec_…`; readable by ghostinbox. Empty: it is not signed.",
    source: "Standard Webhooks 1.0",
  },
  "alerts.ntfy": {
    kind: listOf(url, 10),
    byDefault: [],
    says: "Topics of ntfy, such as https://ntfy.sh/TOPIC.",
    source: "docs.ntfy.sh, publish as JSON",
    secret: true,
  },
  "alerts.ntfy_token_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line is the access token for them; readable by ghostinbox.",
  },
  "alerts.gotify": {
    kind: orEmpty(url),
    byDefault: "",
    says: "Address of a Gotify server.",
    source: "gotify.net, push messages",
    secret: true,
  },
  "alerts.gotify_token_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line is the token of the application there; readable by ghostinbox.",
  },
  "alerts.apprise": {
    kind: listOf(url, 10),
    byDefault: [],
    says: "Addresses of an Apprise API, such as http://apprise:8000/notify/KEY.",
    secret: true,
  },
  "alerts.ca": {
    kind: orEmpty(path),
    byDefault: "",
    says: "Certificate authorities in PEM that may vouch for receivers of alerts, besides those that all the world trusts.",
  },
  "alerts.quiet_hours": {
    kind: quietHours,
    byDefault: "",
    says: 'Hours such as "22:00-07:00" in which only critical alerts are told; the others follow at their end, as one.',
  },
  "alerts.time_zone": {
    kind: orEmpty(timeZone),
    byDefault: "",
    says: "Time zone of the quiet hours; empty stands for the machine's own.",
  },
  "alerts.digest": {
    kind: duration(0, 7 * DAY_MS),
    byDefault: "24h",
    says: "How long alerts that are only to know are gathered and then told as one; `0s` tells each at once.",
  },
  "alerts.resolve_after": {
    kind: duration(SECOND_MS, DAY_MS),
    byDefault: "5m",
    says: "How long a condition must be gone before it is told to be over; what comes back sooner is the same alert.",
  },
  "alerts.heartbeat": {
    kind: orEmpty(url),
    byDefault: "",
    says: "Address that is asked while all is well; the watcher behind it raises the alarm when that stops.",
    secret: true,
  },
  "alerts.heartbeat_every": {
    kind: duration(SECOND_MS, DAY_MS),
    byDefault: "5m",
    says: "How often.",
  },
  "alerts.thresholds.failed_logins": {
    kind: count,
    byDefault: 25,
    says: "Failed sign-ins within 10 minutes that raise an alert.",
  },
  "alerts.thresholds.dashboard_logins": {
    kind: count,
    byDefault: 5,
    says: "Failed sign-ins to the dashboard within 10 minutes that raise one.",
  },
  "alerts.thresholds.password_guessed": {
    kind: wholeNumber(2, 1_000),
    byDefault: 4,
    says: "Different wrong passwords within an hour after which a right one, from where a wrong one came too, raises one.",
  },
  "alerts.thresholds.networks": {
    kind: count,
    byDefault: 200,
    says: "Different networks that connect within 10 minutes that raise one.",
  },
  "alerts.thresholds.spam": {
    kind: count,
    byDefault: 100,
    says: "Mails of spam within an hour that raise one.",
  },
  "alerts.thresholds.bans": {
    kind: count,
    byDefault: 10,
    says: "Networks banned within an hour that raise one.",
  },
  "alerts.thresholds.repeated": {
    kind: count,
    byDefault: 3,
    says: "Networks banned again, not for the first time, within 24 hours that raise one.",
  },
  "alerts.thresholds.volume": {
    kind: count,
    byDefault: 1000,
    says: "Events within 10 minutes that raise one, if they are `alerts.thresholds.volume_factor` times the usual too.",
  },
  "alerts.thresholds.volume_factor": {
    kind: decimal(1, 1_000),
    byDefault: 5,
    says: "How many times the average of the last 24 hours is no longer usual.",
  },

  "events.max_rows": {
    kind: wholeNumber(100, 1_000_000_000),
    byDefault: 1_000_000,
    says: "Events that are kept; past it new ones are summed up and old ones removed.",
  },
  "events.max_size": {
    kind: size(MB, 1024 * GB),
    byDefault: "512MB",
    says: "Size of the event database past which new events are summed up and old ones removed.",
  },
  "events.max_age": { kind: duration(SECOND_MS, 3_650 * DAY_MS), byDefault: "90d", says: "How long an event is kept." },

  "fail2ban.enabled": {
    kind: flag,
    byDefault: true,
    says: "Whether Fail2ban reads the logs and reports to the guard.",
  },
  "fail2ban.destemail": {
    kind: orEmpty(mailAddress),
    byDefault: "",
    says: "Who is written a mail for each ban that Fail2ban brings on; empty: nobody.",
    source: "jail.conf(5), destemail",
  },
  "fail2ban.sender": {
    kind: orEmpty(mailAddress),
    byDefault: "",
    says: "The sender of these mails; empty stands for `fail2ban@` before `hostname`.",
    source: "jail.conf(5), sender",
  },
  "logs.max_size": {
    kind: size(16 * KB, 10 * GB),
    byDefault: "50MB",
    says: "Size at which mail.log, mail.warn and mail.err are set aside and begun anew.",
  },
  "logs.max_age": {
    kind: duration(SECOND_MS, 3_650 * DAY_MS),
    byDefault: "1d",
    says: "Age at which they are set aside, if anything stands in them.",
  },
  "logs.keep": {
    kind: wholeNumber(1, 10_000),
    byDefault: 14,
    says: "How many of each are kept; those older than a day are compressed.",
  },

  "firewall.enabled": {
    kind: flag,
    byDefault: true,
    says: "Whether bans go into the kernel; without it the mail servers alone refuse banned addresses.",
  },
} as const satisfies Record<string, Setting<unknown>>;

export type SettingKey = keyof typeof schema;
export type Settings = {
  readonly [K in SettingKey]: (typeof schema)[K] extends Setting<infer T> ? T : never;
};

export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(schema, key);
}

export function settingKeys(): readonly SettingKey[] {
  return Object.keys(schema).filter(isSettingKey);
}

/** The setting without its particular type. */
export function settingOf(key: SettingKey): Setting<unknown> {
  return schema[key];
}

/** `limits.mail.per_minute` is also `GHOSTINBOX_LIMITS__MAIL__PER_MINUTE`. */
export function variableOf(key: SettingKey): string {
  return settingOf(key).variable ?? `GHOSTINBOX_${key.replaceAll(".", "__").toUpperCase()}`;
}

/** The TOML table a key stands in; empty for the top. */
export function sectionOf(key: SettingKey): string {
  return key.includes(".") ? key.slice(0, key.lastIndexOf(".")) : "";
}
