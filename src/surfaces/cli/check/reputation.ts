import type { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP, type LookupFunction } from "node:net";
import { codeOf, messageOf } from "../../../core/error.ts";
import { publicZone } from "../../../core/events/mail.ts";
import { type Ip, isV4 } from "../../../core/net/ip.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { listQuery, readListAnswer, testPoints } from "../../../guard/lookups/dnsbl.ts";
import type { NameAnswer } from "../../../guard/network-ports.ts";
import { readIsolation } from "../../../host/firewall/isolation.ts";
import { publicAmong } from "../../../host/machine/own-addresses.ts";
import { relayOf } from "../../../mail/configuration/site.ts";
import { outsideAddresses } from "../../../mail/dns/published-records.ts";
import { createResolver, ResolverNames } from "../../../mail/dns/resolver.ts";
import { type SmtpError, trySignIn } from "../../../mail/notifiers/smtp-client.ts";
import { greetingAt } from "../../../mail/probes/port-dialogue.ts";
import { hostAndPort, SUBMISSIONS } from "../../../settings/ports.ts";
import type { Settings } from "../../../settings/schema.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import { check, type Finding, ok, type Server, unknown, warning, worstOf, wrong } from "./check.ts";

/** The lists that most receivers check for a sender's IP address; `DOMAIN_LIST` is that for its domain. */
const LISTS = ["zen.spamhaus.org", "bl.spamcop.net"];
const DOMAIN_LIST = "dbl.spamhaus.org";
/** A test domain that is always on the list (https://www.spamhaus.org/faqs/domain-blocklist/). */
const DOMAIN_TEST = "dbltest.com";
/** Their servers accept mail from anyone at port 25, so a machine that reaches none of them cannot send mail. */
const LARGE = ["gmail.com", "outlook.com"];
const CONNECT_MS = 8 * SECOND_MS;
const SET_RELAY = `${PROGRAM} config set outbound.relay HOST:PORT`;
/** Answers of Spamhaus's PBL, which lists home connections for good. */
const PBL = /^127\.0\.0\.1[01]$/;

/** `about`: the list's answer; `test`: its answer about the test address, which it must list. */
function judgeListing(zone: string, what: string, about: NameAnswer, test: NameAnswer): Finding {
  const list = publicZone(zone);
  if (about.type === "failed" || test.type !== "addresses")
    return unknown(`${list} gives answers that cannot be trusted.`);
  if (about.type === "none") return ok(`${what} is not on ${list}`);
  const read = readListAnswer(zone, about.addresses);
  if (read.type === "refused") return unknown(`${list} refuses our queries: ${read.why}.`);
  if (read.type === "nothing" && !about.addresses.some((address) => address.startsWith("127.0.1.")))
    return ok(`${what} is not on ${list}`);
  const says = read.type === "listed" ? read.meaning : firstFew(about.addresses);
  return wrong(`${what} is on ${list} (${says})`, `https://check.spamhaus.org explains why; search for ${list}`);
}

/** The answer of the first mail server of a large provider: a greeting, or why there was none. */
type Greeting = Readonly<{ host: string; says: string | Error }>;

export function judgeOutgoing(greetings: readonly Greeting[], hasV4 = true): Finding {
  const reply = greetings.find(({ says }) => typeof says === "string" && says.startsWith("220"));
  if (reply !== undefined && !hasV4)
    return warning(
      `${reply.host} answers this machine at port 25, but the machine has no IPv4 route: mail to servers without IPv6 waits and bounces.`,
      `${SET_RELAY}  # docs/install/ipv6-only.md`,
    );
  if (reply !== undefined) return ok(`${reply.host} answers this machine at port 25, so mail can be delivered.`);
  if (greetings.length === 0)
    return unknown("The mail servers of large providers could not be resolved, so none was tried.");
  const all = greetings.map(({ host, says }) => `${host}: ${says instanceof Error ? says.message : says.trim()}`);
  return wrong(
    `This machine cannot deliver mail at port 25: ${firstFew(all)}.`,
    `${SET_RELAY}  # or ask the machine's provider to open outgoing port 25`,
  );
}

async function onLists({ settings, machine }: Server): Promise<Finding> {
  const own = publicAmong(machine.addresses());
  // Behind a router, others see the router's address. Without a route of its family, it is that of a proxy, which sends no mail.
  const [outside, sources] = await Promise.all([outsideAddresses(settings, own), machine.outgoingAddresses()]);
  const addresses = [...own, ...outside.filter((address) => sources.some((from) => isV4(from) === isV4(address)))];
  if (addresses.length === 0)
    return unknown("Neither this machine nor its name has a public address, so there is none to look up in the lists.");
  const [names, relay] = [new ResolverNames(settings["dns.address"]), settings["outbound.relay"]];
  const zones = settings["dnsbl.zones"].length > 0 ? settings["dnsbl.zones"] : LISTS;
  const findings = zones.flatMap((zone) => addresses.map((address) => onList(names, zone, address, relay)));
  const asked = (await Promise.all(findings)).filter((finding) => finding !== null);
  return worstOf(asked, "No list covers addresses like these.");
}

/** Null: the list does not cover IPv6. */
async function onList(names: ResolverNames, zone: string, address: Ip, relay: string): Promise<Finding | null> {
  const [about, test] = await Promise.all([
    names.v4Addresses(listQuery(address, zone)),
    names.v4Addresses(testPoints(zone, isV4(address) ? 4 : 6).listed),
  ]);
  if (!isV4(address) && test.type === "none") return null;
  const judged = judgeListing(zone, address, about, test);
  if (!judged.saw.includes(", PBL,") || about.type !== "addresses" || !about.addresses.every((one) => PBL.test(one)))
    return judged;
  return relay === ""
    ? wrong(judged.saw, `${SET_RELAY}  # or ${judged.fix}`)
    : ok(`${judged.saw}; outbound.relay sends the mail`);
}

async function domainsOnList({ settings }: Server): Promise<Finding> {
  const names = new ResolverNames(settings["dns.address"]);
  const test = await names.v4Addresses(`${DOMAIN_TEST}.${DOMAIN_LIST}`);
  const findings = settings.domains.map(async (domain) =>
    judgeListing(DOMAIN_LIST, domain, await names.v4Addresses(`${domain}.${DOMAIN_LIST}`), test),
  );
  return worstOf(await Promise.all(findings));
}

async function outgoing({ layout, settings, machine }: Server): Promise<Finding> {
  if (readIsolation(layout)?.shut.includes("send") === true)
    return unknown("The server is isolated, so no mail leaves it.", `${PROGRAM} incident recover --lift send`);
  const resolver = createResolver(settings["dns.address"], { timeoutMs: CONNECT_MS });
  if (settings["outbound.relay"] !== "") return signInAtRelay(settings, resolver);
  const hasV4 = (await machine.outgoingAddresses()).some(isV4);
  const greetings = LARGE.map(async (domain) => {
    const found = await resolver.resolveMx(domain).catch(() => []);
    const host = found.toSorted((a, b) => a.priority - b.priority)[0]?.exchange;
    if (host === undefined) return [];
    const [address] = await (hasV4 ? resolver.resolve4(host) : resolver.resolve6(host)).catch(() => []);
    if (address === undefined) return [];
    const says = await greetingAt(address, CONNECT_MS).catch((error: unknown) => new Error(messageOf(error)));
    return [{ host, says }];
  });
  return judgeOutgoing((await Promise.all(greetings)).flat(), hasV4);
}

export const reputation = {
  addresses: check(
    "Looks up the machine's public addresses in DNS block lists, and a test address that each list must name.",
    onLists,
  ),
  domains: check(`Looks up each domain in ${DOMAIN_LIST}.`, domainsOnList),
  "port-25-out": check(
    `Connects to port 25 of a mail server of ${LARGE.join(" and of ")}, reads its greeting, and disconnects; or signs in to outbound.relay.`,
    outgoing,
  ),
};

const FIX = "docs/install/outside-relay.md lists possible causes";

/** Signs in to the relay, as Postfix does, and disconnects before any mail. */
export async function signInAtRelay(settings: Settings, resolver: Resolver): Promise<Finding> {
  const name = `${settings["outbound.relay"].replaceAll(/[[\]]/g, "")} (outbound.relay)`;
  try {
    const relay = relayOf(settings);
    const login = relay?.login ?? null;
    if (relay === null || login === null) return ok(`All mail to others goes through ${name}, without a sign-in.`);
    const { host, port } = hostAndPort(relay.nextHop);
    const failure = await trySignIn({
      host,
      port,
      security: port === SUBMISSIONS ? "tls" : "starttls",
      authorities: [readFileSync(relay.authorities, "utf8")],
      login,
      helo: settings.hostname,
      lookup: lookupBy(resolver),
    });
    if (failure === null) return ok(`All mail to others goes through ${name}, which accepts the sign-in.`);
    return judgeRefusal(name, failure);
  } catch (error) {
    return wrong(messageOf(error), FIX);
  }
}

/** Error codes of failed connections; empty if the relay hangs or hangs up, or if its name could not be looked up. */
const AWAY = ["", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "EPIPE", "ETIMEDOUT"];

/** Shows only the code of an answer, because a server may repeat the password. */
function judgeRefusal(relay: string, { command = "", responseCode, originalCode = "", message }: SmtpError): Finding {
  const answer = `it answers ${responseCode}`;
  if (responseCode !== undefined && responseCode >= 400 && responseCode < 500)
    return unknown(`${relay} accepts no sign-in for now: ${answer}.`);
  if (command.startsWith("AUTH") && responseCode !== undefined)
    return wrong(`${relay} refuses the name or the password: ${answer}.`, FIX);
  const refusal = command === "STARTTLS" ? "it offers no TLS" : answer;
  const saw = `No mail can go through ${relay}: ${responseCode === undefined ? message : refusal}.`;
  // The relay may be restarting. If mail keeps waiting for it, the notice `relay_refuses` reports that.
  return responseCode === undefined && AWAY.includes(originalCode) ? unknown(saw, FIX) : wrong(saw, FIX);
}

/** Asks the server's own resolver, as Postfix does. */
function lookupBy(resolver: Resolver): LookupFunction {
  const find = async (...[host, , found]: Parameters<LookupFunction>): Promise<void> => {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const [address] = answers.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    if (address !== undefined) return found(null, [{ address, family: isIP(address) }]);
    const hasNone = (error: unknown): boolean => ["ENODATA", "ENOTFOUND"].includes(codeOf(error));
    if (answers.every((one) => one.status === "rejected" && hasNone(one.reason)))
      found(Object.assign(new Error("its name has no address"), { code: "ENOTFOUND" }), []);
    else found(new Error("its name could not be looked up"), []);
  };
  return (...asked) => void find(...asked);
}
