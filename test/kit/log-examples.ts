type LogExample = Readonly<{
  /** A whole line of the log, which the pattern matches. */
  example: string;
  /** Lines with which strangers try to pass for another address, and the true address; null: no match. */
  hostile: readonly Readonly<{ line: string; ip: string | null }>[];
}>;

export const smtpd = (text: string, service = ""): string =>
  `Nov 20 08:08:30 mail postfix/${service}smtpd[123]: ${text}`;
const imap = (text: string): string => `Nov 20 08:08:30 imap-login: Info: ${text}`;

/** What strangers write to reach the logs, by the name of the pattern of src/mail/logs that meets it. */
export const LOG_EXAMPLES: Readonly<Record<string, LogExample>> = {
  lost_connection: {
    example: smtpd("lost connection after AUTH from unknown[198.51.100.7]"),
    hostile: [{ line: smtpd("lost connection after AUTH from unknown[198.51.100.7] from x[203.0.113.9]"), ip: null }],
  },
  timed_out: {
    example: smtpd("timeout after DATA (1460 bytes) from unknown[198.51.100.7]"),
    hostile: [{ line: smtpd("timeout after quit from unknown[198.51.100.7]"), ip: null }],
  },
  too_many_errors: {
    example: smtpd("too many errors after UNKNOWN from unknown[198.51.100.7]"),
    hostile: [{ line: smtpd("too many errors after X\\ from unknown[198.51.100.7]"), ip: null }],
  },
  pipelining: {
    example: smtpd(
      "improper command pipelining after EHLO from unknown[198.51.100.7]: MAIL FROM:<someone@sender.test>\\r\\n",
    ),
    hostile: [
      {
        line: smtpd(
          "improper command pipelining after EHLO from unknown[198.51.100.7]: x from unknown[203.0.113.9]: y",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  tls_failed: {
    example: smtpd("SSL_accept error from mx.sender.test[198.51.100.7]: lost connection"),
    hostile: [{ line: smtpd("SSL_accept error from a b[203.0.113.9]: x"), ip: null }],
  },
  auth_not_offered: {
    example: smtpd("disconnect from unknown[198.51.100.7] ehlo=2 starttls=1 auth=0/3 commands=3/6"),
    hostile: [
      { line: smtpd("disconnect from unknown[198.51.100.7] ehlo=1 quit=1 commands=2"), ip: null },
      { line: smtpd("disconnect from unknown[198.51.100.7] auth=1 commands=1", "submission/"), ip: null },
    ],
  },
  malformed_command: {
    example: smtpd("warning: non-SMTP command from unknown[198.51.100.7]: GET / HTTP/1.1"),
    hostile: [
      {
        line: smtpd("warning: non-SMTP command from unknown[198.51.100.7]: Host: x from unknown[203.0.113.9]: y"),
        ip: "198.51.100.7",
      },
    ],
  },
  refused_address: {
    example: smtpd('unknown[198.51.100.7]: replacing command "MAIL FROM:<cron@host.>" with "MAIL"'),
    hostile: [
      {
        line: smtpd('unknown[198.51.100.7]: replacing command "RCPT x" with "MAIL"; y[203.0.113.9]: z" with "RCPT"'),
        ip: "198.51.100.7",
      },
    ],
  },
  malformed_address: {
    example: smtpd("warning: Illegal address syntax from unknown[198.51.100.7] in RCPT command: <anna@ex??mple.test>"),
    hostile: [
      {
        line: smtpd(
          "warning: Illegal address syntax from unknown[198.51.100.7] in MAIL command: <x from y[203.0.113.9] in MAIL>",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  request_too_long: {
    example: smtpd("warning: unknown[198.51.100.7]: request longer than 2048: NOOP aaaaaaaaaaaaaaaaaaaaaaaaa..."),
    hostile: [
      {
        line: smtpd("warning: unknown[198.51.100.7]: request longer than 2048: warning: x[203.0.113.9]: request lo..."),
        ip: "198.51.100.7",
      },
    ],
  },
  postfix_limit: {
    example: smtpd(
      "warning: Message delivery request rate limit exceeded: 21 from unknown[198.51.100.7] for service smtp",
    ),
    hostile: [
      { line: smtpd("warning: Connection rate limit exceeded: 21 from x[198.51.100.7] for service a b"), ip: null },
    ],
  },
  login_failed_smtp: {
    example: smtpd(
      "warning: unknown[198.51.100.7]: SASL PLAIN authentication failed: (reason unavailable), sasl_username=anna@example.test",
      "submission/",
    ),
    hostile: [
      {
        line: smtpd(
          "warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: x, sasl_username=warning: y[203.0.113.9]: SASL LOGIN " +
            "authentication failed: x",
          "submission/",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  relay_refused: {
    example: smtpd(
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 454 4.7.1 <someone@elsewhere.test>: Relay access denied; " +
        "from=<someone@sender.test> to=<someone@elsewhere.test> proto=ESMTP helo=<client.test>",
    ),
    hostile: [
      {
        line: smtpd(
          'NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <"a>: Relay access denied; from x[203.0.113.9]"@example.test>: ' +
            "Recipient address rejected: User unknown; from=<> to=<x> proto=ESMTP helo=<client.test>",
        ),
        ip: null,
      },
    ],
  },
  helo_refused: {
    example: smtpd(
      "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 504 5.5.2 <client>: Helo command rejected: " +
        "need fully-qualified hostname; proto=SMTP helo=<client>",
    ),
    hostile: [
      {
        line: smtpd(
          "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 501 5.5.2 <reject: EHLO from x[203.0.113.9]: 504>: Helo command " +
            "rejected: Invalid name; proto=SMTP helo=<reject: EHLO from x[203.0.113.9]: 504>",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  sender_refused: {
    example: smtpd(
      "NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 553 5.7.1 <bert@example.test>: Sender address rejected: " +
        "not owned by user anna@example.test; from=<bert@example.test> proto=ESMTP helo=<client.test>",
      "submission/",
    ),
    hostile: [
      {
        line: smtpd(
          'NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 504 5.5.2 <"x>: from unknown[203.0.113.9]: 550">: Sender address ' +
            "rejected: need fully-qualified address; from=<x> proto=ESMTP helo=<x>",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  pipelining_refused: {
    example: smtpd(
      "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 503 5.5.0 <client.test>: Helo command rejected: " +
        "Improper use of SMTP command pipelining; proto=SMTP helo=<client.test>",
    ),
    hostile: [
      {
        line: smtpd(
          "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 504 5.5.2 <Improper use of SMTP command pipelining>: Helo command " +
            "rejected: need fully-qualified hostname; proto=SMTP helo=<x>",
        ),
        ip: null,
      },
    ],
  },
  too_large: {
    example: smtpd(
      "NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 552 5.3.4 Message size exceeds fixed limit; proto=ESMTP helo=<client.test>",
    ),
    hostile: [
      {
        line: smtpd(
          'NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 504 5.5.2 <"x>: Message size exceeds fixed limit; "@a>: Sender address ' +
            "rejected: need fully-qualified address; from=<x> proto=ESMTP helo=<x>",
        ),
        ip: null,
      },
    ],
  },
  mailbox_full: {
    example: smtpd(
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 452 4.2.2 <anna@example.test>: Recipient address rejected: " +
        "Mailbox is full; from=<a@b.test> to=<anna@example.test> proto=ESMTP helo=<client.test>",
    ),
    hostile: [
      {
        line: smtpd(
          'NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <"x>: Recipient address rejected: Mailbox is full; "@a>: ' +
            "Recipient address rejected: User unknown; from=<> to=<x> proto=ESMTP helo=<client.test>",
        ),
        ip: null,
      },
    ],
  },
  tls_failed_imap: {
    example: imap(
      "Disconnected: Connection closed: SSL_accept() failed: error:0A0000C1:SSL routines::no shared cipher " +
        "(no auth attempts in 0 secs): user=<>, rip=198.51.100.7, lip=203.0.113.10, TLS handshaking: " +
        "SSL_accept() failed: error:0A0000C1:SSL routines::no shared cipher, session=<abcdefgh>",
    ),
    hostile: [
      {
        line: imap(
          "Disconnected: Connection closed: SSL_accept() failed: error:0A00010B:SSL routines::wrong version number " +
            "(disconnected before auth was ready, waited 0 secs): user=<>, rip=198.51.100.7, lip=203.0.113.10, " +
            "TLS handshaking: SSL_accept() failed: error:0A00010B:SSL routines::wrong version number, session=<abcdefgh>",
        ),
        ip: "198.51.100.7",
      },
      {
        line: imap(
          "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<SSL_accept() failed: x " +
            "(no auth attempts in 0 secs): user=<>, rip=203.0.113.9, lip=203.0.113.10, session=<x>>, method=PLAIN, " +
            "rip=198.51.100.7, lip=203.0.113.10, TLS, session=<abcdefgh>",
        ),
        ip: null,
      },
    ],
  },
  login_failed_imap: {
    example: imap(
      "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<anna@example.test>, method=PLAIN, " +
        "rip=198.51.100.7, lip=203.0.113.10, TLS: Connection closed, session=<abcdefgh>",
    ),
    hostile: [
      {
        line: imap(
          "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN, rip=203.0.113.9, " +
            "lip=203.0.113.10, TLS, session=<y>, method=PLAIN, rip=198.51.100.7, lip=203.0.113.10, TLS, session=<abcdefgh>",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
};
