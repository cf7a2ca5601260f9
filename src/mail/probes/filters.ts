import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { type Exchange, exchange } from "./exchange.ts";

/** A working milter negotiates: it answers SMFIC_OPTNEG with the same command, after the length of its packet. It sees no mail. */
export const MILTER: Exchange = {
  // Version 6, every action and step (libmilter, mfdef.h).
  question: Buffer.from("0000000d4f00000006000001ff001fffff", "hex"),
  isAnswer: (received) => received[4] === "O",
};

/** spamd gives up on a mail after 7 s (mail/spamassassin/spamassassin-conf.ts), so a busy one answers for some mail within this time. */
const LATELY_SECONDS = 15;

type SpamSockets = Readonly<{ spamd: string; pulse: string }>;

/**
 * Sends a PING of spamd's protocol. While mails keep all of spamd's processes busy, the PING waits behind them, so spam-head.py is then
 * asked whether spamd has recently answered for one of them.
 */
export async function probeSpamd({ spamd, pulse }: SpamSockets, timeoutMs: number): Promise<ProbeResult> {
  const isPong = (received: string): boolean => /^SPAMD\/[\d.]+ 0 PONG/.test(received);
  const pinged = await exchange({ path: spamd }, { question: "PING SPAMC/1.5\r\n\r\n", isAnswer: isPong }, timeoutMs);
  if (pinged.ok || !pinged.hangs) return pinged;
  const isAnswer = (received: string): boolean =>
    Number(/^spamd answered (\d+) s ago\n/.exec(received)?.[1] ?? Infinity) <= LATELY_SECONDS;
  return (await exchange({ path: pulse }, { isAnswer }, timeoutMs)).ok ? { ok: true } : pinged;
}

/** The program in front of spamd; its report about spamd does not matter here. */
export const SPAM_HEAD: Exchange = { isAnswer: (received) => /^spamd answered .*\n/.test(received) };

/** As Postfix asks it (SMTPD_POLICY_README), about a recipient that is never greylisted, so nothing is counted. */
export const POSTGREY: Exchange = {
  question: [
    "request=smtpd_access_policy",
    "protocol_state=RCPT",
    "client_address=127.0.0.1",
    "client_name=localhost",
    "sender=",
    "recipient=postmaster@localhost",
    "",
    "",
  ].join("\n"),
  isAnswer: (received) => /^action=.*\n\n/.test(received),
};
