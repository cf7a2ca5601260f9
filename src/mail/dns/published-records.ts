import type { PublishedRecord } from "../../admin/declare/reports.ts";
import { contains, type Ip, isPrivate, isV4, parseIp } from "../../core/net/ip.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { DnsAnswer } from "../../guard/network-ports.ts";
import { outgoingAddresses, ownAddresses, publicAmong } from "../../host/machine/own-addresses.ts";
import { ownNetworks } from "../../host/machine/own-networks.ts";
import type { Settings } from "../../settings/schema.ts";
import { greetingAt, SMTP_PORT } from "../probes/port-dialogue.ts";
import { addressRecord, type DnsRecord, judge, type RecordVerdict, recordsOf, reverseRecord } from "./records.ts";
import { answerOf, createResolver } from "./resolver.ts";

/** All records of a domain, expected and published. `key`: the DKIM key in base64. */
export async function publishedFor(
  settings: Settings,
  domain: string,
  key: string,
): Promise<readonly PublishedRecord[]> {
  const compared = await comparedAll(expectedRecords(settings, publicAmong(ownAddresses()), domain, key));
  return compared.map(({ record, verdict }) => {
    const { kind: _, ...shown } = record;
    return { ...shown, ...verdict };
  });
}

export type ExpectedRecords = Readonly<{ records: readonly DnsRecord[]; addresses: readonly Ip[]; settings: Settings }>;

/** Records to publish for a domain of the settings. `addresses`: the machine's public addresses; `key`: the DKIM key in base64. */
export function expectedRecords(
  settings: Settings,
  addresses: readonly Ip[],
  domain: string,
  key: string,
): ExpectedRecords {
  return { records: recordsOf({ settings, addresses, domain, key }), addresses, settings };
}

/** All published records of the domain, and the addresses of the router or proxy in front of this machine. */
export async function comparedAll(expected: ExpectedRecords): Promise<readonly ComparedRecord[]> {
  return (await Promise.all([compared(expected), comparedOutside(expected, ["address", "reverse"])])).flat();
}

export async function compared({ records, addresses, settings }: ExpectedRecords): Promise<readonly ComparedRecord[]> {
  const comparisons = Promise.all(records.map((record) => comparedOne(settings, record)));
  const types = records.some(({ kind }) => kind === "address") ? ADDRESS_TYPES : [];
  const [all, named] = await Promise.all([comparisons, namedAddresses(settings, types)]);
  // The name may also have a proxy's public addresses, which need not be those of `proxy.networks`.
  const hasProxy = settings["proxy.networks"].length > 0;
  const own = named.length === 0 ? [] : ownNetworks([]).filter(({ why }) => why === "own_address");
  // Unlike `addresses`, the kernel's tables include addresses of loopback's interface and of links without carrier.
  const isOwn = (one: Ip): boolean => addresses.includes(one) || own.some(({ prefix }) => contains(prefix, one));
  const others = named.filter((one) => isPrivate(one) || (!hasProxy && !isOwn(one)));
  return all.map((one) => ({ ...one, verdict: withOthers(one, others) }));
}

/** Refuses a name that also leads to other addresses, such as a previous one: part of the mail and of the sign-ins would go there. */
function withOthers({ record: { type }, verdict }: ComparedRecord, others: readonly Ip[]): RecordVerdict {
  const also = others.filter((one) => type === (isV4(one) ? "A" : "AAAA"));
  if (verdict.status !== "ok" || also.length === 0) return verdict;
  return {
    status: "wrong",
    detail: `It must lead only to this machine's public addresses, not to ${also.join(", ")}.`,
  };
}

export type OutsideKind = "address" | "reverse";

/** Compares the records for addresses of the name that are not the machine's. */
export async function comparedOutside(
  { addresses, settings }: Omit<ExpectedRecords, "records">,
  kinds: readonly OutsideKind[],
  outgoing = outgoingAddresses(),
): Promise<readonly ComparedRecord[]> {
  const others = await outsideAddresses(settings, addresses);
  const compare = { address: comparedAddresses, reverse: comparedReverse };
  if (others.length > 0) return (await Promise.all(kinds.map((kind) => compare[kind](settings, others)))).flat();
  const isNameMissing = addresses.length === 0 || isV4Outside(addresses, await outgoing);
  return isNameMissing && kinds.includes("address") ? [await missingName(settings, addresses.length === 0)] : [];
}

/** Whether a router has the public IPv4 address. `outgoing`: the kernel's source addresses for outgoing connections. */
export function isV4Outside(addresses: readonly Ip[], outgoing: readonly Ip[]): boolean {
  return !addresses.some(isV4) && outgoing.some(isV4);
}

/** The name needs an address. `required`: the machine has none. With an IPv6 address, it may share an IPv4 address of its provider. */
function missingName(settings: Settings, required: boolean): Promise<ComparedRecord> {
  const address = { type: "A", value: "", kind: "address", says: "", required } as const;
  return comparedOne(settings, { name: settings.hostname, ...address });
}

const GREETING_MS = 5 * SECOND_MS;

/** `isAnswered`: the resolver answered, so `unknown` is a judgement of the answer. */
export type ComparedRecord = Readonly<{ record: DnsRecord; verdict: RecordVerdict; isAnswered: boolean }>;
type Named = Pick<Settings, "hostname" | "dns.address" | "outbound.relay">;

/**
 * Addresses of the server's name that belong to a router or proxy in front of the machine: those of each family in which the machine has no
 * public address itself (`own`).
 */
export async function outsideAddresses(settings: Named, own: readonly Ip[]): Promise<readonly Ip[]> {
  const types = ADDRESS_TYPES.filter((type) => own.every((ip) => isV4(ip) !== (type === "A")));
  return namedAddresses(settings, types);
}

type AddressTypes = readonly ("A" | "AAAA")[];
const ADDRESS_TYPES: AddressTypes = ["A", "AAAA"];

async function namedAddresses({ hostname, ...settings }: Named, types: AddressTypes): Promise<readonly Ip[]> {
  const published = createRecordLookup(settings["dns.address"]);
  const answers = await Promise.all(types.map((type) => published({ name: hostname, type })));
  return answers.flatMap((one) => (one.ok ? one.found.flatMap((text) => parseIp(text) ?? []) : []));
}

/** Whether the addresses lead here: port 25 there greets with the server's name. Most routers refuse such connections from inside. */
async function comparedAddresses(settings: Named, addresses: readonly Ip[]): Promise<readonly ComparedRecord[]> {
  return Promise.all(
    addresses.map(async (address) => {
      const greeting = await greetingAt(address, GREETING_MS).catch(() => null);
      const verdict = judgeOutside(address, settings.hostname, greeting);
      return { record: addressRecord(settings.hostname, address), verdict, isAnswered: true };
    }),
  );
}

/**
 * Compares the reverse name of each address, which matters to servers that get mail from it. It is optional for a proxy whose address
 * family the machine cannot route: no mail leaves from there.
 */
export async function comparedReverse(
  settings: Named,
  addresses: readonly Ip[],
  outgoing: readonly Ip[] | Promise<readonly Ip[]> = outgoingAddresses(),
): Promise<readonly ComparedRecord[]> {
  const sources = await outgoing;
  return Promise.all(
    addresses.map((address) => {
      const reverse = reverseRecord(settings, address);
      const required = reverse.required && sources.some((from) => isV4(from) === isV4(address));
      return comparedOne(settings, { ...reverse, required });
    }),
  );
}

async function comparedOne(settings: Named, record: DnsRecord): Promise<ComparedRecord> {
  const answer = await createRecordLookup(settings["dns.address"])(record);
  return { record, verdict: judge(record, answer), isAnswered: answer.ok };
}

/** `greeting`: the greeting on its port 25; null if there was none. */
export function judgeOutside(address: Ip, hostname: string, greeting: string | null): RecordVerdict {
  const whose = "which is not an address of this machine but of a router or proxy in front of it";
  const fact = `It says ${address}, ${whose}; port ${SMTP_PORT} there`;
  const [, name = ""] = /^220[ -](\S+)/.exec(greeting ?? "") ?? [];
  if (name.toLowerCase() === hostname) return { status: "ok", detail: `${fact} leads here.` };
  const why = greeting === null ? "gives this machine no answer" : "greets with another name";
  return { status: "unknown", detail: `${fact} ${why}, so whether it leads here cannot be verified from here.` };
}

const TIMEOUT_MS = 5_000;

/** Looks records up at one resolver (node:dns); values are written as in `DnsRecord`. Never rejects. */
export function createRecordLookup(server: string) {
  const resolver = createResolver(server, { timeoutMs: TIMEOUT_MS });
  const values = async ({ name, type }: Pick<DnsRecord, "name" | "type">): Promise<readonly string[]> => {
    switch (type) {
      case "A":
        return resolver.resolve4(name);
      case "AAAA":
        return resolver.resolve6(name);
      case "MX":
        return (await resolver.resolveMx(name)).map(({ priority, exchange }) => `${priority} ${exchange}.`);
      case "TXT":
        return (await resolver.resolveTxt(name)).map((strings) => strings.join(""));
      case "PTR":
        return (await resolver.resolvePtr(name)).map((host) => `${host}.`);
      case "SRV":
        return (await resolver.resolveSrv(name)).map(
          ({ priority, weight, port, name: host }) => `${priority} ${weight} ${port} ${host}.`,
        );
    }
  };
  return (asked: Pick<DnsRecord, "name" | "type">): Promise<DnsAnswer<string>> => answerOf(() => values(asked));
}
