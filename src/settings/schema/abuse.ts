import { HOUR_MS, SECOND_MS } from "../../core/time.ts";
import { ascending, duration, flag, listOf, oneOf, size, wholeNumber } from "../kinds/kind.ts";
import { domain, door, mailAddress, network, networkInterface } from "../kinds/texts.ts";
import { byDefault, count, GB, KB, optional, optionalList, type Setting } from "../setting.ts";
import { jails } from "./detection.ts";
import { guessing } from "./limits.ts";

/** What strangers and users may do, and what happens past a limit. */
export const abuse = {
  simulate: byDefault(false, flag).says(
    "Whether to only decide and record: no mail or sign-in is refused, deferred or delayed, and no address is banned. Manual and existing bans still hold.",
  ),
  "limits.mail.per_minute": byDefault(10, count).says(
    "Mails from one stranger, or from one account, within any 60 seconds.",
  ),
  "limits.mail.per_hour": byDefault(50, count).says("Mails from one stranger, or from one account, within any hour."),
  "limits.mail.per_day": byDefault(200, count).says(
    "Mails from one stranger, or from one account, within any 24 hours.",
  ),
  "limits.mail.per_session": byDefault(5, count).says(
    "Mails from a stranger in one connection. After that it must connect again, which does not count as an offence.",
  ),
  "limits.mail.postfix_per_minute": byDefault(20, count).says(
    "Mails from one address within a minute, as Postfix counts them. It holds even while the guard is down.",
    { source: "postconf(5), smtpd_client_message_rate_limit" },
  ),
  "limits.mail.max_size": byDefault("10MB", size(64 * KB, GB)).says(
    "Size of the largest mail that is accepted, with headers and attachments.",
    { source: "postconf(5), message_size_limit" },
  ),
  "limits.mail.recipients": byDefault(100, count).says(
    "Recipients of one mail. The sender's server sends to the others in its next mail.",
    { source: "postconf(5), smtpd_recipient_limit; RFC 5321, 4.5.3.1.8 asks for no less than 100" },
  ),
  "limits.recipients.unknown_per_hour": byDefault(10, count).says(
    "Recipients that do not exist, asked for by one address within any hour, before it is banned. Mail with an empty sender never causes a ban: above three times this number it must retry later.",
  ),
  "limits.recipients.unknown_server_per_hour": byDefault(100, wholeNumber(1, 10_000)).says(
    "Different recipients that do not exist, asked for by strangers from anywhere within any hour. Above it, strangers no longer learn who exists (docs/limits.md).",
  ),
  "limits.first_contacts.per_minute": byDefault(20, wholeNumber(1, 10_000)).says(
    "Addresses (IPv6 networks) whose mail is greylisted, and from which no mail is wanted, within any 60 seconds. Above it, such mail waits for `greylist.crowd_delay` and its spam score rises by `spam.crowd_score`. Counted only while `greylist.enabled` is true.",
  ),
  "limits.first_contacts.per_hour": byDefault(100, wholeNumber(1, 10_000)).says("The same within any hour."),
  "limits.connections.per_minute": byDefault(20, count).says(
    "Connections from one address to the SMTP ports within any 60 seconds.",
  ),
  "limits.connections.per_hour": byDefault(100, count).says(
    "Connections from one address to the SMTP ports within any hour.",
  ),
  "limits.connections.concurrent": byDefault(10, count).says(
    "Connections that one address, or one IPv6 network of `bans.ipv6_prefix`, may hold open to all mail ports together; half of a port's places at most.",
    { source: "nft(8), ct count; postconf(5), smtpd_client_connection_count_limit" },
  ),
  "limits.connections.known": byDefault(50, count).says(
    "The same where an account signed in within `limits.accounts.known_for`: at most half of a port's places, at least `limits.connections.concurrent`. An account's IMAP sessions get half.",
    { source: "postconf(5), smtpd_client_connection_count_limit; Dovecot, mail_max_userip_connections" },
  ),
  "limits.connections.per_port": byDefault(false, flag).says(
    "Whether `concurrent` and `known` apply to each mail port separately: 10 and 50 connections to each.",
  ),
  "limits.connections.smtp_places": byDefault(100, wholeNumber(10, 1_000)).says(
    "Connections that each SMTP port serves at once, each by a process of Postfix. Further ones wait.",
    { source: "postconf(5), default_process_limit" },
  ),
  "limits.connections.imap_places": byDefault(400, wholeNumber(20, 10_000)).says(
    "Connections that the IMAP port serves at once, each by a process of Dovecot.",
    { source: "Dovecot, process_limit of imap-login" },
  ),
  ...guessing,

  "logins.networks": optionalList(network, 1_000).says(
    "Networks from which users may sign in to read and send mail, and to the dashboard; empty means anywhere. `account networks` restricts a single account.",
    { source: "Dovecot, allow_nets" },
  ),

  "bans.ladder": byDefault(["30m", "2h", "24h"], ascending(duration(SECOND_MS), 10)).says(
    "How long the first ban of an address lasts, the second, and so on. The last one repeats.",
  ),
  "bans.permanent": byDefault(false, flag).says(
    "Whether an offence past the end of the ladder causes a permanent ban.",
  ),
  "bans.memory": byDefault("7d", duration(SECOND_MS)).says(
    "How long an offence makes the next ban longer. Time spent banned does not count.",
  ),
  "bans.ipv6_prefix": byDefault(64, wholeNumber(32, 128)).says(
    "Length of the IPv6 network that is counted and banned as one.",
    { source: "RFC 6177: a site gets at least a /64" },
  ),
  "bans.neighbours": byDefault(5, count).says(
    "Addresses of one network (IPv4 /24, IPv6 /48), banned by the guard for guessing or abuse within `bans.memory`, that ban the whole network. Honest mail from it raises the number; it is not banned if wanted mail came from it (docs/bans.md).",
  ),
  "bans.manual": byDefault("24h", duration(SECOND_MS)).says(
    "How long a ban by command lasts if the command gives no time.",
  ),

  "allow.networks": byDefault(["127.0.0.1", "::1"], listOf(network, 10_000)).says(
    "Addresses and networks that are never banned and are exempt from most limits, in addition to those of `allow add`.",
  ),

  "providers.domains": byDefault(
    [
      ..."google.com outlook.com yahoo.com icloud.com me.com apple.com protonmail.ch proton.ch".split(" "),
      ..."messagingengine.com gmx.net web.de kundenserver.de t-online.de zoho.com zoho.eu".split(" "),
      ..."mail.yandex.net amazonses.com mailgun.net sendgrid.net mailjet.com mandrillapp.com".split(" "),
      ..."mcsv.net rsgsv.net mtasv.net sparkpostmail.com github.com linkedin.com facebook.com".split(" "),
    ],
    listOf(domain, 1_000),
  ).says(
    "Large providers, by the forward-confirmed host names of their mail servers. Over a limit they must retry later; they are never banned for it.",
  ),

  "fail2ban.enabled": byDefault(true, flag).says(
    "Whether Fail2ban reads the logs and reports to the guard. It takes effect at the next start.",
  ),
  "fail2ban.sentences": byDefault("unjudged", oneOf("unjudged", "all")).says(
    "Which reports of Fail2ban jails cause a ban. `unjudged`: only those of what the guard did not judge by its own limits. `all`: everything that the jail counts, at `fail2ban.jails.NAME.maxretry`. Your own filters always ban.",
  ),
  "fail2ban.destemail": optional(mailAddress).says(
    "Address that gets a mail for each ban that Fail2ban caused; empty sends none.",
    { source: "jail.conf(5), destemail" },
  ),
  "fail2ban.sender": optional(mailAddress).says(
    "Sender of these mails; empty means `postmaster@` at the first domain.",
    { source: "jail.conf(5), sender" },
  ),
  ...jails,

  "firewall.enabled": byDefault(true, flag).says(
    "Whether bans go into the kernel. Without it, only the mail servers refuse banned addresses.",
  ),
  "firewall.mode": byDefault("bans", oneOf("bans", "strict")).says(
    "What the firewall blocks: banned addresses (`bans`), or also every port but this server's, those of SSH and of `firewall.open` (`strict`; docs/firewall.md).",
  ),
  "firewall.open": optionalList(door, 200).says("Further ports that the strict firewall accepts, such as 443/tcp."),
  "firewall.trusted_interfaces": optionalList(networkInterface, 50).says(
    "Interfaces from which the strict firewall accepts everything, such as wg0 or docker0; a name may end with `*`.",
  ),
  "firewall.confirm_within": byDefault("2m", duration(10 * SECOND_MS, HOUR_MS)).says(
    "How long the strict firewall waits for `firewall confirm` before it is undone.",
  ),
} as const satisfies Record<string, Setting<unknown>>;
