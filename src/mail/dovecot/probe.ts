import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { NO_ACCOUNT } from "../../core/net/address.ts";
import { exchange, type TcpPort } from "../probes/exchange.ts";

/** The master process answers at its own socket (Dovecot 2.3, master-client.c). It starts every other process. */
export function probeDovecotMaster(path: string, timeoutMs: number): Promise<ProbeResult> {
  return exchange({ path }, { isAnswer: (said) => said.startsWith("VERSION\tmaster-server\t") }, timeoutMs);
}

const USER_LOOKUP = `VERSION\t1\t0\nUSER\t1\t${NO_ACCOUNT}\tservice=probe\n`;

/**
 * Asks the auth process for a user, as LMTP does for each recipient (Dovecot's auth protocol, version 1.1): a worker
 * reads accounts.db. It does not sign in, so the guard is not asked and nothing is logged.
 */
export function probeDovecotAuth(path: string, timeoutMs: number): Promise<ProbeResult> {
  // USER, NOTFOUND and FAIL are all answers: whether the database can be read is not Dovecot's trouble.
  return exchange(
    { path },
    { question: USER_LOOKUP, isAnswer: (said) => /^(?:USER|NOTFOUND|FAIL)\t1\b.*\n/m.test(said) },
    timeoutMs,
  );
}

/** TLS handshake and greeting: the master starts a login process, which greets only once it is connected to auth. */
export function probeImap(port: TcpPort, timeoutMs: number): Promise<ProbeResult> {
  const isAnswer = (said: string): boolean => /^\* OK .*\r\n/.test(said);
  return exchange({ ...port, tls: true }, { isAnswer, goodbye: "a LOGOUT\r\n" }, timeoutMs);
}
