import { fault, type LogPattern } from "./pattern.ts";

const dovecot = { from: "dovecot", program: "imap-login" } as const;
const imap = (text: string): string => `Nov 20 08:08:30 imap-login: Info: ${text}`;

/** The end of a line of a login process: after the typed name, a stranger chooses nothing. */
const BEHIND_LOGIN =
  "rip=(?<ip>[0-9a-f.:]{2,45}), lip=[0-9a-f.:]{2,45}(?:, mpid=\\d{1,9})?(?:, [^<>]{0,400})?, session=<[^<>]{0,60}>$";

export const DOVECOT_PATTERNS: readonly LogPattern[] = [
  {
    name: "tls_failed_imap",
    ...dovecot,
    matches: new RegExp(
      `^Disconnected: Connection closed: (?<detail>SSL_accept\\(\\) failed: [^()]{1,200}) ` +
        // The second while Dovecot is busy (client-common.c of its login-common).
        `\\((?:no auth attempts in|disconnected before auth was ready, waited) \\d{1,9} secs\\): user=<>, ${BEHIND_LOGIN}`,
    ),
    reports: fault("tls_failed"),
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
  {
    name: "login_failed_imap",
    ...dovecot,
    matches: new RegExp(
      `^(?:Disconnected|Aborted login|Remote closed connection)[^<>]{0,200}\\(auth failed, (?<tries>\\d{1,9}) attempts ` +
        `in \\d{1,9} secs\\): user=<(?<login>.*)>, (?:method=[A-Z0-9-]{1,20}, )?${BEHIND_LOGIN}`,
    ),
    reports: { type: "login_failed" },
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
];
