type Lines = Readonly<{
  /** Turns the texts below into whole lines, by default those of the server at port 25. `String` if they are whole lines already. */
  by?: (text: string) => string;
  /** The text of a log line that the pattern matches. */
  example: string;
  /** A line with which a stranger tries to fake another address. The pattern finds the true one. */
  matched?: string | readonly string[];
  /** Such lines that the pattern must not match. */
  unmatched?: string | readonly string[];
}>;

export const smtpd = (text: string, service = ""): string =>
  `Nov 20 08:08:30 mail postfix/${service}smtpd[123]: ${text}`;
const submission = (text: string): string => smtpd(text, "submission/");
const imap = (text: string): string => `Nov 20 08:08:30 imap-login: Info: ${text}`;

/** Postfix refuses a recipient that a stranger made up. */
const toUnknown = (recipient: string): string =>
  `NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <${recipient}>: ` +
  "Recipient address rejected: User unknown; from=<> to=<x> proto=ESMTP helo=<client.test>";

/** What strangers at 198.51.100.7 write to reach the logs, by the name of the pattern in src/mail/logs that matches it. */
const LINES: Readonly<Record<string, Lines>> = {
  lost_connection: {
    example: "lost connection after AUTH from unknown[198.51.100.7]",
    unmatched: "lost connection after AUTH from unknown[198.51.100.7] from x[203.0.113.9]",
  },
  timed_out: {
    example: "timeout after DATA (1460 bytes) from unknown[198.51.100.7]",
    unmatched: "timeout after quit from unknown[198.51.100.7]",
  },
  too_many_errors: {
    example: "too many errors after UNKNOWN from unknown[198.51.100.7]",
    unmatched: "too many errors after X\\ from unknown[198.51.100.7]",
  },
  pipelining: {
    example: "improper command pipelining after EHLO from unknown[198.51.100.7]: MAIL FROM:<someone@sender.test>\\r\\n",
    matched: "improper command pipelining after EHLO from unknown[198.51.100.7]: x from unknown[203.0.113.9]: y",
  },
  tls_failed: {
    example: "SSL_accept error from mx.sender.test[198.51.100.7]: lost connection",
    unmatched: "SSL_accept error from a b[203.0.113.9]: x",
  },
  auth_not_offered: {
    by: String,
    example: smtpd("disconnect from unknown[198.51.100.7] ehlo=2 starttls=1 auth=0/3 commands=3/6"),
    unmatched: [
      smtpd("disconnect from unknown[198.51.100.7] ehlo=1 quit=1 commands=2"),
      submission("disconnect from unknown[198.51.100.7] auth=1 commands=1"),
    ],
  },
  malformed_command: {
    example: "warning: non-SMTP command from unknown[198.51.100.7]: GET / HTTP/1.1",
    matched: "warning: non-SMTP command from unknown[198.51.100.7]: Host: x from unknown[203.0.113.9]: y",
  },
  refused_address: {
    example: 'unknown[198.51.100.7]: replacing command "MAIL FROM:<cron@host.>" with "MAIL"',
    matched: 'unknown[198.51.100.7]: replacing command "RCPT x" with "MAIL"; y[203.0.113.9]: z" with "RCPT"',
  },
  malformed_address: {
    example: "warning: Illegal address syntax from unknown[198.51.100.7] in RCPT command: <anna@ex??mple.test>",
    matched:
      "warning: Illegal address syntax from unknown[198.51.100.7] in MAIL command: <x from y[203.0.113.9] in MAIL>",
  },
  request_too_long: {
    example: "warning: unknown[198.51.100.7]: request longer than 2048: NOOP aaaaaaaaaaaaaaaaaaaaaaaaa...",
    matched: "warning: unknown[198.51.100.7]: request longer than 2048: warning: x[203.0.113.9]: request lo...",
  },
  postfix_limit: {
    example: "warning: Message delivery request rate limit exceeded: 21 from unknown[198.51.100.7] for service smtp",
    unmatched: "warning: Connection rate limit exceeded: 21 from x[198.51.100.7] for service a b",
  },
  login_failed_smtp: {
    by: submission,
    example:
      "warning: unknown[198.51.100.7]: SASL PLAIN authentication failed: (reason unavailable), sasl_username=anna@example.test",
    matched:
      "warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: x, sasl_username=warning: y[203.0.113.9]: SASL LOGIN " +
      "authentication failed: x",
    unmatched:
      "warning: unknown[198.51.100.7]: SASL NTLM authentication failed: Invalid authentication mechanism, sasl_username=(unavailable)",
  },
  relay_refused: {
    example:
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 454 4.7.1 <someone@elsewhere.test>: Relay access denied; " +
      "from=<someone@sender.test> to=<someone@elsewhere.test> proto=ESMTP helo=<client.test>",
    unmatched: toUnknown('"a>: Relay access denied; from x[203.0.113.9]"@example.test'),
  },
  helo_refused: {
    example:
      "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 504 5.5.2 <client>: Helo command rejected: " +
      "need fully-qualified hostname; proto=SMTP helo=<client>",
    matched:
      "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 501 5.5.2 <reject: EHLO from x[203.0.113.9]: 504>: Helo command " +
      "rejected: Invalid name; proto=SMTP helo=<reject: EHLO from x[203.0.113.9]: 504>",
  },
  sender_refused: {
    by: String,
    example: submission(
      "NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 553 5.7.1 <bert@example.test>: Sender address rejected: " +
        "not owned by user anna@example.test; from=<bert@example.test> proto=ESMTP helo=<client.test>",
    ),
    matched: [
      smtpd(
        'NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 504 5.5.2 <"x>: from unknown[203.0.113.9]: 550">: Sender address ' +
          "rejected: need fully-qualified address; from=<x> proto=ESMTP helo=<x>",
      ),
      smtpd(
        'NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 554 5.7.1 <"from x[203.0.113.9]: 550"@b.test>: Sender address ' +
          'rejected: Address too long; from=<"from x[203.0.113.9]: 550"@b.test> proto=ESMTP helo=<x>',
      ),
    ],
  },
  recipient_malformed: {
    example:
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 504 5.5.2 <root>: Recipient address rejected: " +
      "need fully-qualified address; from=<a@b.test> to=<root> proto=ESMTP helo=<client.test>",
    unmatched: toUnknown('"x>: Recipient address rejected: Address too long; "@a'),
  },
  recipient_unknown: {
    by: String,
    example: submission(
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <bret@example.test>: Recipient address rejected: " +
        "User unknown; from=<anna@example.test> to=<bret@example.test> proto=ESMTP helo=<client.test>",
    ),
    unmatched: smtpd(
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <bret@example.test>: Recipient address rejected: " +
        "User unknown; from=<anna@example.test> to=<bret@example.test> proto=ESMTP helo=<client.test>",
    ),
  },
  pipelining_refused: {
    example:
      "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 503 5.5.0 <client.test>: Helo command rejected: " +
      "Improper use of SMTP command pipelining; proto=SMTP helo=<client.test>",
    unmatched:
      "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 504 5.5.2 <Improper use of SMTP command pipelining>: Helo command " +
      "rejected: need fully-qualified hostname; proto=SMTP helo=<x>",
  },
  too_large: {
    example:
      "NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 552 5.3.4 Message size exceeds fixed limit; proto=ESMTP helo=<client.test>",
    unmatched:
      'NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 504 5.5.2 <"x>: Message size exceeds fixed limit; "@a>: Sender address ' +
      "rejected: need fully-qualified address; from=<x> proto=ESMTP helo=<x>",
  },
  mailbox_full: {
    example:
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 452 4.2.2 <anna@example.test>: Recipient address rejected: " +
      "Mailbox is full; from=<a@b.test> to=<anna@example.test> proto=ESMTP helo=<client.test>",
    unmatched: toUnknown('"x>: Recipient address rejected: Mailbox is full; "@a'),
  },
  filter_deferred: {
    example:
      "NOQUEUE: milter-reject: MAIL from unknown[198.51.100.7]: 451 4.7.1 Service unavailable - try again later; " +
      "from=<a@b.test> proto=ESMTP helo=<client.test>",
    // One line a mail is enough.
    unmatched:
      "NOQUEUE: milter-reject: EHLO from unknown[198.51.100.7]: 451 4.7.1 Service unavailable - try again later; " +
      "proto=ESMTP helo=<MAIL from x[203.0.113.9]: 451 4.7.1 Service unavailable - try again later; >",
  },
  postfix_deferred: {
    example:
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 451 4.3.0 <anna@example.test>: Temporary lookup failure; " +
      "from=<a@b.test> to=<anna@example.test> proto=ESMTP helo=<client.test>",
    matched: [
      "NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 452 4.3.1 Insufficient system storage; proto=ESMTP helo=<client.test>",
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 450 4.3.0 <a@left.test>: Recipient address rejected: Mail for this domain " +
        "is not accepted now, try again later; from=<a@b.test> to=<a@left.test> proto=ESMTP helo=<client.test>",
    ],
    unmatched: toUnknown('"x>: Temporary lookup failure; "@a'),
  },
  tls_failed_imap: {
    by: imap,
    example:
      "Disconnected: Connection closed: SSL_accept() failed: error:0A0000C1:SSL routines::no shared cipher " +
      "(no auth attempts in 0 secs): user=<>, rip=198.51.100.7, lip=203.0.113.10, TLS handshaking: " +
      "SSL_accept() failed: error:0A0000C1:SSL routines::no shared cipher, session=<abcdefgh>",
    matched:
      "Disconnected: Connection closed: SSL_accept() failed: error:0A00010B:SSL routines::wrong version number " +
      "(disconnected before auth was ready, waited 0 secs): user=<>, rip=198.51.100.7, lip=203.0.113.10, " +
      "TLS handshaking: SSL_accept() failed: error:0A00010B:SSL routines::wrong version number, session=<abcdefgh>",
    unmatched:
      "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<SSL_accept() failed: x " +
      "(no auth attempts in 0 secs): user=<>, rip=203.0.113.9, lip=203.0.113.10, session=<x>>, method=PLAIN, " +
      "rip=198.51.100.7, lip=203.0.113.10, TLS, session=<abcdefgh>",
  },
  login_failed_imap: {
    by: imap,
    example:
      "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<anna@example.test>, method=PLAIN, " +
      "rip=198.51.100.7, lip=203.0.113.10, TLS: Connection closed, session=<abcdefgh>",
    matched:
      "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN, rip=203.0.113.9, " +
      "lip=203.0.113.10, TLS, session=<y>, method=PLAIN, rip=198.51.100.7, lip=203.0.113.10, TLS, session=<abcdefgh>",
  },
};

type LogExample = Readonly<{ example: string; hostile: readonly Readonly<{ line: string; ip: string | null }>[] }>;

/** The lines for each pattern. `ip`: the address that the pattern finds in a hostile line, or null if it must not match. */
export const LOG_EXAMPLES: Readonly<Record<string, LogExample>> = Object.fromEntries(
  Object.entries(LINES).map(([name, { by = smtpd, example, matched = [], unmatched = [] }]) => {
    const found = [matched].flat().map((text) => ({ line: by(text), ip: "198.51.100.7" }));
    const missed = [unmatched].flat().map((text) => ({ line: by(text), ip: null }));
    return [name, { example: by(example), hostile: [...found, ...missed] }];
  }),
);
