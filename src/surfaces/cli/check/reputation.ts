import type { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { codeOf, messageOf } from "../../../core/error.ts";
import { type Ip, isV4 } from "../../../core/net/ip.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { listQuery, publicZone, readListAnswer, testPoints } from "../../../guard/lookups/dnsbl.ts";
import type { NameAnswer } from "../../../guard/network-ports.ts";
import { hasIpv4Way, isPublic } from "../../../host/machine/own-addresses.ts";
import { SetUpFailure } from "../../../host/running/failure.ts";
import { type Relay, relayOf } from "../../../mail/configuration/site.ts";
import { outsideAddresses } from "../../../mail/dns/published-records.ts";
import { ResolverNames, resolverAt } from "../../../mail/dns/resolver.ts";
import { greetingAt, PortDialogue, SMTP_REPLY } from "../../../mail/probes/port-dialogue.ts";
import { hostAndPort, SUBMISSIONS } from "../../../settings/ports.ts";
import type { Settings } from "../../../settings/schema.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import { type Finding, ok, unknown, warning, worstOf, wrong } from "./finding.ts";
import type { Check, Server } from "./server.ts";

/** Lists that most receivers check for a sender's address and for its domain. */
const LISTS = ["zen.spamhaus.org", "bl.spamcop.net"];
const DOMAIN_LIST = "dbl.spamhaus.org";
/** A test domain that the list always names (https://www.spamhaus.org/faqs/domain-blocklist/). */
const DOMAIN_TEST = "dbltest.com";
/** Their servers accept mail from anyone at port 25, so a machine that reaches none of them cannot send mail. */
const LARGE = ["gmail.com", "outlook.com"];
const CONNECT_MS = 8 * SECOND_MS;

/** `about`: the list's answer; `test`: its answer about the test address, which it must list. */
function judgeListing(zone: string, what: string, about: NameAnswer, test: NameAnswer): Finding {
  const shown = publicZone(zone);
  if (about.type === "failed" || test.type !== "addresses")
    return unknown(`${shown} gives answers that cannot be trusted.`);
  if (about.type === "none") return ok(`${what} is not on ${shown}`);
  const read = readListAnswer(zone, about.addresses);
  if (read.type === "refused") return unknown(`${shown} refuses our queries: ${read.why}.`);
  if (read.type === "nothing" && !about.addresses.some((address) => address.startsWith("127.0.1.")))
    return ok(`${what} is not on ${shown}`);
  const says = read.type === "listed" ? read.meaning : firstFew(about.addresses);
  return wrong(`${what} is on ${shown} (${says})`, `https://check.spamhaus.org explains why; search for ${shown}`);
}

/** Answers of the first mail servers of large providers: a greeting, or why there was none. */
export function judgeOutgoing(
  greetings: readonly Readonly<{ host: string; says: string | Error }>[],
  hasV4 = true,
): Finding {
  const heard = greetings.find(({ says }) => typeof says === "string" && says.startsWith("220"));
  if (heard !== undefined && !hasV4)
    return warning(
      `${heard.host} answers this machine at port 25, but the machine has no IPv4 address: mail to servers without IPv6 waits and bounces.`,
      `${PROGRAM} config set outbound.relay HOST:PORT  # docs/install/ipv6-only.md`,
    );
  if (heard !== undefined) return ok(`${heard.host} answers this machine at port 25, so mail can be delivered.`);
  if (greetings.length === 0)
    return unknown("The mail servers of large providers could not be resolved, so none was tried.");
  const all = greetings.map(({ host, says }) => `${host}: ${says instanceof Error ? says.message : says.trim()}`);
  return wrong(
    `This machine cannot deliver mail at port 25: ${firstFew(all)}.`,
    `${PROGRAM} config set outbound.relay HOST:PORT  # or ask the machine's provider to open outgoing port 25`,
  );
}

async function onLists({ settings, machine }: Server): Promise<Finding> {
  const own = machine.addresses().filter(isPublic);
  // Behind a router, others see the router's address.
  const addresses = own.length > 0 ? own : await outsideAddresses(settings, own);
  if (addresses.length === 0)
    return unknown("Neither this machine nor its name has a public address, so there is none to look up in the lists.");
  const names = new ResolverNames(settings["dns.address"]);
  const zones = settings["dnsbl.zones"].length > 0 ? settings["dnsbl.zones"] : LISTS;
  const findings = zones.flatMap((zone) => addresses.map((address) => onList(names, zone, address)));
  const asked = (await Promise.all(findings)).filter((finding) => finding !== null);
  return worstOf(asked, "No list covers addresses like these.");
}

/** Null: the list does not cover IPv6. */
async function onList(names: ResolverNames, zone: string, address: Ip): Promise<Finding | null> {
  const [about, test] = await Promise.all([
    names.addresses(listQuery(address, zone)),
    names.addresses(testPoints(zone, isV4(address) ? 4 : 6).listed),
  ]);
  return !isV4(address) && test.type === "none" ? null : judgeListing(zone, address, about, test);
}

async function domainsOnList({ settings }: Server): Promise<Finding> {
  const names = new ResolverNames(settings["dns.address"]);
  const test = await names.addresses(`${DOMAIN_TEST}.${DOMAIN_LIST}`);
  const findings = settings.domains.map(async (domain) =>
    judgeListing(DOMAIN_LIST, domain, await names.addresses(`${domain}.${DOMAIN_LIST}`), test),
  );
  return worstOf(await Promise.all(findings), "");
}

async function outgoing({ settings }: Server): Promise<Finding> {
  const resolver = resolverAt(settings["dns.address"], { timeoutMs: CONNECT_MS });
  if (settings["outbound.relay"] !== "") return signInAtRelay(settings, resolver);
  const hasV4 = hasIpv4Way();
  const greetings = LARGE.map(async (domain) => {
    const found = await resolver.resolveMx(domain).catch(() => []);
    const host = found.toSorted((a, b) => a.priority - b.priority)[0]?.exchange;
    if (host === undefined) return [];
    const [address] = await (hasV4 ? resolver.resolve4(host) : resolver.resolve6(host)).catch(() => []);
    return address === undefined ? [] : [{ host, says: await greeting(address) }];
  });
  return judgeOutgoing((await Promise.all(greetings)).flat(), hasV4);
}

function greeting(host: string): Promise<string | Error> {
  return greetingAt(host, CONNECT_MS).catch((error: unknown) => new Error(messageOf(error)));
}

export const reputation = [
  {
    name: "addresses",
    does: "Looks up the machine's public addresses in DNS block lists, and a test address that each list must name.",
    look: onLists,
  },
  {
    name: "domains",
    does: `Looks up each domain in ${DOMAIN_LIST}.`,
    look: domainsOnList,
  },
  {
    name: "port-25-out",
    does: `Connects to port 25 of a mail server of ${LARGE.join(" and of ")}, reads its greeting, and disconnects; or signs in to outbound.relay.`,
    look: outgoing,
  },
] as const satisfies readonly Check[];

const TIMEOUT_MS = 15 * SECOND_MS;
const FIX = "docs/install/outside-relay.md lists possible causes";

/** `answer`: the last one of a sign-in (RFC 4954 section 6). Shows only its code, because a server may repeat the password. */
function judgeSignIn(relay: string, answer: string): Finding {
  const code = /^\d{3}/.exec(answer.trim().split("\r\n").at(-1) ?? "")?.[0] ?? "nothing";
  if (code === "235")
    return ok(`All mail to others goes through ${relay} (outbound.relay), which accepts the sign-in.`);
  if (code.startsWith("4")) return unknown(`${relay} (outbound.relay) accepts no sign-in for now: it answers ${code}.`);
  return wrong(`${relay} (outbound.relay) refuses the name or the password: it answers ${code}.`, FIX);
}

/** Signs in to the relay, as Postfix does, and disconnects before any mail. */
export async function signInAtRelay(settings: Settings, resolver: Resolver): Promise<Finding> {
  const name = settings["outbound.relay"].replaceAll(/[[\]]/g, "");
  try {
    const relay = relayOf(settings);
    const login = relay?.login ?? null;
    if (relay === null || login === null)
      return ok(`All mail to others goes through ${name} (outbound.relay), without a sign-in.`);
    return judgeSignIn(name, await signIn(relay, { hostname: settings.hostname, login, resolver }));
  } catch (error) {
    if (error instanceof SetUpFailure) return wrong(messageOf(error), FIX);
    const saw = `No mail can go through ${name} (outbound.relay): ${messageOf(error)}.`;
    // It may be restarting. If mail waits longer for it, the notice `relay_refuses` reports that.
    return error instanceof Unfit || !AWAY.includes(codeOf(error)) ? wrong(saw, FIX) : unknown(saw, FIX);
  }
}

/** Waiting does not help: the relay has no address, or answers in a way that lets no mail through. */
class Unfit extends Error {}

/** Codes of failed connections; empty if the relay hangs up, or its name could not be looked up. */
const AWAY = ["", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "EPIPE", "ETIMEDOUT"];

type SignIn = Readonly<{ hostname: string; login: NonNullable<Relay["login"]>; resolver: Resolver }>;

async function signIn(relay: Relay, { hostname, login, resolver }: SignIn): Promise<string> {
  const { host, port } = hostAndPort(relay.nextHop);
  const tls = { ca: readFileSync(relay.authorities), ...(isIP(host) === 0 ? { servername: host } : {}) };
  const target = { host: await addressOf(host, resolver), port, timeoutMs: TIMEOUT_MS };
  return PortDialogue.run(port === SUBMISSIONS ? { ...target, tls } : target, "QUIT", async (dialogue) => {
    const greeting = await dialogue.hears(SMTP_REPLY);
    if (greeting.startsWith("4")) return greeting;
    if (!greeting.startsWith("220")) throw new Unfit(`it answers ${greeting.slice(0, 3)}`);
    let offers = await dialogue.ask(`EHLO ${hostname}`);
    if (port !== SUBMISSIONS) {
      const answer = await dialogue.ask("STARTTLS");
      if (answer.startsWith("4")) return answer;
      if (!answer.startsWith("220")) throw new Unfit("it offers no TLS");
      await dialogue.startTls(tls);
      offers = await dialogue.ask(`EHLO ${hostname}`);
    }
    return authenticate(dialogue, offers, login);
  });
}

/** Uses PLAIN (RFC 4616), or LOGIN if the server offers nothing else. */
async function authenticate(dialogue: PortDialogue, offers: string, { user, password }: SignIn["login"]) {
  const encoded = (text: string): string => Buffer.from(text).toString("base64");
  if (/^250[ -]AUTH\b.* PLAIN\b/im.test(offers)) return dialogue.ask(`AUTH PLAIN ${encoded(`\0${user}\0${password}`)}`);
  if (!/^250[ -]AUTH\b.* LOGIN\b/im.test(offers)) throw new Unfit("it offers neither AUTH PLAIN nor AUTH LOGIN");
  // A server that does not ask would take the next lines for commands, and log them.
  for (const line of ["AUTH LOGIN", encoded(user)]) {
    const answer = await dialogue.ask(line);
    if (!answer.startsWith("334")) return answer;
  }
  return dialogue.ask(encoded(password));
}

/** Asks the server's own resolver, as Postfix does. */
async function addressOf(host: string, resolver: Resolver): Promise<string> {
  if (isIP(host) !== 0) return host;
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const [address] = answers.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  if (address !== undefined) return address;
  const hasNone = (error: unknown): boolean => ["ENODATA", "ENOTFOUND"].includes(codeOf(error));
  if (answers.every((one) => one.status === "rejected" && hasNone(one.reason)))
    throw new Unfit("its name has no address");
  throw new Error("its name could not be looked up");
}
