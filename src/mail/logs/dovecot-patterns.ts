import type { LogPatterns } from "./pattern.ts";

/** The end of a line of a login process: after the typed name, a stranger chooses nothing. */
const BEHIND_LOGIN =
  "rip=(?<ip>[0-9a-f.:]{2,45}), lip=[0-9a-f.:]{2,45}(?:, mpid=\\d{1,9})?(?:, [^<>]{0,400})?, session=<[^<>]{0,60}>$";

export const DOVECOT_PATTERNS: LogPatterns = {
  tls_failed_imap: {
    matches: new RegExp(
      `^Disconnected: Connection closed: (?<detail>SSL_accept\\(\\) failed: [^()]{1,200}) ` +
        // The second while Dovecot is busy (client-common.c of its login-common).
        `\\((?:no auth attempts in|disconnected before auth was ready, waited) \\d{1,9} secs\\): user=<>, ${BEHIND_LOGIN}`,
    ),
    reports: "tls_failed",
  },
  login_failed_imap: {
    matches: new RegExp(
      `^(?:Disconnected|Aborted login|Remote closed connection)[^<>]{0,200}\\(auth failed, (?<tries>\\d{1,9}) attempts ` +
        `in \\d{1,9} secs\\): user=<(?<login>.*)>, (?:method=[A-Z0-9-]{1,20}, )?${BEHIND_LOGIN}`,
    ),
    reports: "login_failed",
  },
};
