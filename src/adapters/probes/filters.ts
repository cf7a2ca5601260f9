import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { exchange } from "./exchange.ts";

/** The first packet of the milter protocol, SMFIC_OPTNEG: version 6, every action and step (libmilter, mfdef.h). */
const NEGOTIATION = Buffer.from("0000000d4f00000006000001ff001fffff", "hex");
const OPTNEG = "O";
const AT_COMMAND = 4;

/** A milter that negotiates; it sees no mail. */
export function probeMilter(path: string, timeoutMs: number): Promise<ProbeResult> {
  return exchange({ path }, { question: NEGOTIATION, isAnswer: (said) => said[AT_COMMAND] === OPTNEG }, timeoutMs);
}

/** PING of spamd's protocol. spam-head.py passes it on, so both are asked. */
export function probeSpamd(path: string, timeoutMs: number): Promise<ProbeResult> {
  const isAnswer = (said: string): boolean => /^SPAMD\/[\d.]+ 0 PONG/.test(said);
  return exchange({ path }, { question: "PING SPAMC/1.5\r\n\r\n", isAnswer }, timeoutMs);
}

const POLICY_QUESTION = [
  "request=smtpd_access_policy",
  "protocol_state=RCPT",
  "client_address=127.0.0.1",
  "client_name=localhost",
  "sender=",
  "recipient=postmaster@localhost",
  "",
  "",
].join("\n");

/** As Postfix asks it (SMTPD_POLICY_README), about a recipient that is never greylisted: nothing is counted. */
export function probePostgrey(path: string, timeoutMs: number): Promise<ProbeResult> {
  return exchange({ path }, { question: POLICY_QUESTION, isAnswer: (said) => /^action=.*\n\n/.test(said) }, timeoutMs);
}
