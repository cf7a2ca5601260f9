import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { exchange } from "./exchange.ts";

/** The end of each message, in both directions (fail2ban/protocol.py). */
const END = "<F2B_END_COMMAND>";
/** `["ping"]` as Python pickles it, protocol 2. */
const PING = Buffer.from("80025d7100580400000070696e677101612e", "hex");

/**
 * The server's own ping. Its answer is a pickle, which can contain code: it is searched for the reply, and never unpickled.
 */
export function probeFail2ban(path: string, timeoutMs: number): Promise<ProbeResult> {
  const question = Buffer.concat([PING, Buffer.from(END)]);
  const isAnswer = (said: string): boolean => said.includes("pong") && said.endsWith(END);
  return exchange({ path }, { question, isAnswer }, timeoutMs);
}
