import { NO_ACCOUNT } from "../../core/net/address.ts";
import type { Exchange } from "../probes/exchange.ts";

/** The master process answers at its own socket (Dovecot 2.3, master-client.c). It starts every other process. */
export const MASTER: Exchange = { isAnswer: (received) => received.startsWith("VERSION\tmaster-server\t") };

/**
 * Asks the auth process for a user, as LMTP does for each recipient (Dovecot's auth protocol, version 1.1): a worker
 * reads accounts.db. It does not sign in, so the guard is not asked and nothing is logged.
 */
export const AUTH: Exchange = {
  question: `VERSION\t1\t0\nUSER\t1\t${NO_ACCOUNT}\tservice=probe\n`,
  // USER, NOTFOUND and FAIL are all answers: a database that cannot be read is not Dovecot's fault.
  isAnswer: (received) => /^(?:USER|NOTFOUND|FAIL)\t1\b.*\n/m.test(received),
};

/** TLS handshake and greeting: the master starts a login process, which greets only once it is connected to auth. */
export const IMAP: Exchange = {
  tls: true,
  isAnswer: (received) => /^\* OK .*\r\n/.test(received),
  goodbye: "a LOGOUT\r\n",
};
