import { hostAndPort } from "../../settings/ports.ts";

/**
 * Why the relay accepts no mail at all, as far as the queue shows. Replies about single mails concern their senders. `heals`: the trouble
 * ends without action by the owner. `isNamed`: the reason names the relay; otherwise it may be about a server that was tried before the
 * relay was set.
 */
export type RelayTrouble = Readonly<{ heals: boolean; says: string; isNamed: boolean }>;

/** qmgr(8) puts this before the reason of a delivery that it did not retry. */
const SUSPENDED = /^delivery temporarily suspended: /;
/** `535`, `535 5.7.8` (RFC 5321 section 4.2, RFC 3463). Nothing else is quoted: a server may repeat a password. */
const CODE = /(?:said|refused to talk to me): (\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?)/;
/** A reply to every mail, before any recipient is named. A greeting with 5xx defers mail too (postconf(5), smtp_skip_5xx_greeting). */
const BEFORE_RECIPIENTS =
  /^host \S+ (?:refused to talk to me: [45]|said: 4.*\(in reply to (?:EHLO|HELO|MAIL FROM) command\)$)/s;
/** `name[address]`, `name[address]:port`, or `name=`. */
const SERVER =
  /^(?:connect to|lost connection with|conversation with|host|SASL authentication failed; (?:cannot authenticate to )?server|TLS is required, but (?:was not offered by )?host) ([^\s[]+)\[[^\]]*\](?::(\d+):)?|Name service error for name=(\S+)/;
/** Dovecot is reached through a socket of Postfix. */
const OWN_DOVECOT = /^[^:]*\[private\//;

/** Reads smtp(8)'s reason why a mail waits. Null if it is not about `relay` (`[name]:port`) as a whole. */
export function relayTrouble(reason: string, relay: string): RelayTrouble | null {
  const text = reason.replace(SUSPENDED, "");
  const trouble = troubleOf(text);
  if (trouble === null) return null;
  const [, host, port, missing] = SERVER.exec(text) ?? [];
  const server = host ?? missing;
  if (server === undefined) return { ...trouble, isNamed: false };
  const ours = hostAndPort(relay);
  const isRelay =
    server.toLowerCase() === ours.host.toLowerCase() && (port === undefined || Number(port) === ours.port);
  return isRelay ? { ...trouble, isNamed: true } : null;
}

/** Returns Dovecot's reply code for mail that it cannot store now; null for mail elsewhere or for a full mailbox (RFC 3463, X.2.2). */
export function storeTrouble(reason: string): string | null {
  const text = reason.replace(SUSPENDED, "");
  const says = CODE.exec(text)?.[1] ?? "no answer";
  return OWN_DOVECOT.test(text) && !says.endsWith("4.2.2") ? says : null;
}

function troubleOf(text: string): Omit<RelayTrouble, "isNamed"> | null {
  if (OWN_DOVECOT.test(text)) return null;
  if (text.startsWith("SASL authentication failed")) return { heals: false, says: loginTrouble(text) };
  if (/^Server certificate not (?:trusted|verified)/.test(text))
    return { heals: false, says: "its certificate is for another name, or not from a trusted authority" };
  if (text.startsWith("TLS is required, but was not offered")) return { heals: false, says: "it offers no TLS" };
  if (/^(?:Cannot start TLS|TLS is required, but host )/.test(text)) return { heals: false, says: "TLS with it fails" };
  if (BEFORE_RECIPIENTS.test(text))
    return { heals: true, says: `it accepts no mail for now (${CODE.exec(text)?.[1] ?? "4xx"})` };
  const [, why] = /^connect to \S+: ([A-Z][A-Za-z ]{1,60})$/.exec(text) ?? [];
  if (why !== undefined) return { heals: true, says: `it cannot be reached (${why})` };
  if (text.includes("Name service error for name=")) return { heals: true, says: "its name has no address" };
  if (/^(?:lost connection with|conversation with) \S+ /.test(text))
    return { heals: true, says: "it ends the session early" };
  return null;
}

/** RFC 4954 section 6: 535 means that the credentials are wrong. */
function loginTrouble(text: string): string {
  const code = CODE.exec(text)?.[1];
  if (code === undefined) return "it offers no supported way to sign in";
  return code.startsWith("535") ? `it refuses the name or the password (${code})` : `it accepts no sign-in (${code})`;
}
