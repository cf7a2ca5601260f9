import { DAY_MS, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { decimal, duration, flag, listOf, oneOf, size, wholeNumber } from "../kinds/kind.ts";
import { domain, localPart, loginName, mailAddress, nextHop, path, selector, senderPattern } from "../kinds/texts.ts";
import { byDefault, GB, optional, optionalList, type Setting } from "../setting.ts";

/** Incoming and outgoing mail. */
export const mail = {
  "accounts.administrator": optional(mailAddress).says(
    "Who gets mail for postmaster@ and abuse@ of every domain that has no such account or alias; empty means the first account that can sign in.",
    { source: "RFC 5321 section 4.5.1, RFC 2142" },
  ),
  "accounts.follow": optional(path).says(
    "File in the format of postfix-accounts.cf whose accounts this server takes over and keeps up to date. A removed line suspends its account.",
  ),

  "mailboxes.quota": byDefault("5GB", size(0, 100_000 * GB)).says(
    "Maximum size of a mailbox; `0B` means no limit. Mail to a full one must be sent again later (452). `account quota` sets another for one account.",
    { source: "RFC 9208; Dovecot's quota plugin" },
  ),

  "mailboxes.encryption": byDefault("off", oneOf("off", "server", "account")).says(
    "Whether mail is encrypted on the disk: `server` encrypts new mail with one key of this server, `account` with a key of the account, which either its password or the owner's recovery key opens. Older mail stays unchanged.",
    { source: "Dovecot's mail-crypt plugin" },
  ),
  "mailboxes.encryption_key": optional(path).says(
    "File with the private key. Empty means `private/mail.pem` in the data directory. A file below /run, which is memory, or on a USB stick keeps the key off the disk: while it is missing, mail arrives, but encrypted mail cannot be read.",
  ),
  "mailboxes.dovecot": optional(path).says(
    "File with settings of Dovecot that are read after the server's own, such as docker-mailserver's `dovecot.cf`. Only root may be able to write it. A file that does not exist is ignored; one that cannot be used is ignored too, and `status` reports it.",
    { source: "doveconf(1)" },
  ),

  "recipients.blocked": byDefault(
    [
      ..."admin administrator root info sales support marketing contact office webmaster hostmaster".split(" "),
      ..."noc mail test www ftp news usenet uucp".split(" "),
    ],
    listOf(localPart, 200),
  ).says("Names that spammers try at every domain. Their mail is refused unless an account or an alias has the name.", {
    source: "RFC 2142; `postmaster` is never blocked (RFC 5321 section 4.5.1)",
  }),

  "greylist.enabled": byDefault(true, flag).says(
    "Whether strangers who write to a recipient for the first time must retry later (Postgrey).",
    { source: "RFC 6647" },
  ),
  "greylist.delay": byDefault("5m", duration(SECOND_MS, DAY_MS)).says(
    "How long a stranger must wait before a retry is accepted. An earlier retry is deferred again.",
    { source: "postgrey(8), --delay" },
  ),
  "greylist.crowd_delay": byDefault("20m", duration(SECOND_MS, 45 * MINUTE_MS)).says(
    "While `limits.first_contacts` is exceeded, how long after its first connection (at most an hour ago) a stranger's retry is accepted.",
  ),
  "greylist.providers": byDefault(
    ["posteo.de", "mailbox.org", "paypal.com", "github.net", "mailchimp.com"],
    listOf(domain, 100),
  ).says(
    "More large senders that are never greylisted, by the forward-confirmed host names of their mail servers. `providers.domains` are not greylisted either.",
    { source: "RFC 6647" },
  ),

  "dnsbl.zones": byDefault(["zen.spamhaus.org", "bl.spamcop.net"], listOf(domain, 20)).says(
    "DNS block lists. A stranger that is on one of them is refused.",
    { source: "RFC 5782" },
  ),
  "dnsbl.check_every": byDefault("5m", duration(SECOND_MS, DAY_MS)).says(
    "How often each block list is tested with its test points. A list that is set aside is first tested after a tenth of this time.",
    { source: "RFC 5782 section 5" },
  ),

  "spam.enabled": byDefault(true, flag).says(
    "Whether SpamAssassin scores mail from strangers. It takes effect at the next start.",
  ),
  "spam.processes": byDefault(2, wholeNumber(1, 32)).says(
    "Mails that SpamAssassin scores at once. Each process takes about 30 MB while it works. It takes effect at the next start.",
    { source: "spamd(8), --max-children" },
  ),
  "spam.required_score": byDefault(5, decimal(0.1, 1_000)).says(
    "Score from which a mail is marked [SPAM] and delivered to Junk.",
    { source: "Mail::SpamAssassin::Conf(3), required_score" },
  ),
  "spam.refuse_score": byDefault(15, decimal(0, 1_000_000)).says(
    "Score from which a mail is refused before it is accepted, in whole points; 0 refuses none.",
    { source: "spamass-milter(8), -r" },
  ),
  "spam.crowd_score": byDefault(2, decimal(0, 100)).says(
    "Points added to the score of a first mail while `limits.first_contacts` is exceeded and `greylist.enabled` is true.",
  ),
  "spam.allow_from": optionalList(senderPattern, 1_000).says(
    "Senders whose mail is hardly ever spam. A forged sender is trusted too, so prefer `spam allow add`.",
    { source: "Mail::SpamAssassin::Conf(3), whitelist_from" },
  ),
  "spam.on_failure": byDefault("pass", oneOf("pass", "wait")).says(
    "What happens to mail while the spam filter is down: `pass` accepts it unmarked, `wait` makes its sender retry later.",
    { source: "postconf(5), milter_default_action" },
  ),
  "spam.rules": optional(path).says("File with your own SpamAssassin rules and scores, read after all others.", {
    source: "Mail::SpamAssassin::Conf(3)",
  }),

  "spam.updates": byDefault(true, flag).says("Fetch new rules of SpamAssassin every day.", { source: "sa-update(1p)" }),
  "spam.update_channel": byDefault("updates.spamassassin.org", domain).says("Channel that rules are fetched from.", {
    source: "sa-update(1p)",
  }),
  "spam.update_key_file": optional(path).says(
    "File with the public key that signs the rules of `spam.update_channel`; SpamAssassin's user must be able to read it. Empty: the key of SpamAssassin itself.",
    { source: "sa-update(1p), --gpgkey" },
  ),

  "dkim.verify": byDefault(true, flag).says(
    "Whether signatures, SPF and DMARC of mail from others are verified. Turn it off behind a gateway that does so.",
    { source: "RFC 6376, RFC 7208, RFC 7489" },
  ),
  "dkim.selector": byDefault("ghostinbox", selector).says(
    "Name under which the public keys of your signatures are published. Another name makes new keys.",
    { source: "RFC 6376 section 3.1" },
  ),

  "outbound.at_once": byDefault(20, wholeNumber(1, 1_000)).says(
    "How many mails of an account are delivered to one other domain at once, and how many are delivered to mailboxes at once. Others wait in the queue.",
    { source: "postconf(5), default_destination_concurrency_limit" },
  ),
  "outbound.queue_lifetime": byDefault("5d", duration(60 * SECOND_MS, 30 * DAY_MS)).says(
    "How long delivery of a mail is tried before its sender gets it back.",
    { source: "RFC 5321 section 4.5.4.1: at least 4 to 5 days" },
  ),
  "outbound.bounce_lifetime": byDefault("1d", duration(60 * SECOND_MS, 30 * DAY_MS)).says(
    "The same for a delivery report, which has no sender.",
    { source: "postconf(5), bounce_queue_lifetime" },
  ),
  "outbound.delay_warning": byDefault("4h", duration(0, 30 * DAY_MS)).says(
    "How long a mail waits before its sender is warned; `0s` means never.",
    { source: "postconf(5), delay_warning_time" },
  ),
  "outbound.relay": optional(nextHop).says(
    "Server that passes on all mail to others, with its port; empty sends it directly to the recipients' servers.",
    { source: "postconf(5), relayhost" },
  ),
  "outbound.relay_user": optional(loginName).says("User name at the relay. It is sent over verified TLS only."),
  "outbound.relay_password_file": optional(path).says(
    "File whose first line is the password for the relay. Only root needs to be able to read it.",
  ),
  "outbound.relay_ca": optional(path).says(
    "File of certificate authorities (PEM) that may sign the relay's certificate; empty means those of the system.",
  ),
} as const satisfies Record<string, Setting<unknown>>;
