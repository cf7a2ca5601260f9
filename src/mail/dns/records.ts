import type { PublishedRecord } from "../../admin/declare/reports.ts";
import { type Ip, isPrivate, isV4, parseIp } from "../../core/net/ip.ts";
import { listQuery } from "../../guard/lookups/dnsbl.ts";
import type { DnsAnswer } from "../../guard/network-ports.ts";
import { hostAndPort } from "../../settings/ports.ts";
import type { Settings } from "../../settings/schema.ts";

/**
 * One record to publish, in the terms of a zone file (RFC 1035 section 5). `name`: fully qualified, without the final dot. `value`: for a
 * TXT record in one piece, without quotes.
 */
export type DnsRecord = Omit<PublishedRecord, keyof RecordVerdict> & Readonly<{ kind: RecordKind }>;

/** What a record of each kind does, in one sentence. `required`: mail does not work well without it. */
const KINDS = {
  mx: { says: "Mail for the domain comes here.", required: true },
  address: { says: "Where the server is.", required: true },
  reverse: { says: "Your provider sets this; many servers refuse mail without it.", required: true },
  spf: { says: "Who may send for the domain (RFC 7208).", required: true },
  helo_spf: { says: "Delivery reports have no sender: this proves them by the server's name.", required: true },
  dkim: { says: "The key that verifies our signatures (RFC 6376).", required: true },
  dmarc: { says: "What to do with mail that fails both, and where to report (RFC 7489).", required: true },
  tls_report: { says: "Where to report trouble with TLS (RFC 8460).", required: false },
  service: { says: "Lets mail programs find the server automatically (RFC 6186, RFC 8314).", required: false },
} as const;
export type RecordKind = keyof typeof KINDS;

/** `addresses`: the machine's public addresses; empty behind a NAT. `key`: the DKIM key in base64. */
type Publisher = Readonly<{ settings: Settings; addresses: readonly Ip[]; domain: string; key: string }>;

/** The owner replaces this: behind a proxy, the names lead to the proxy, but mail leaves from this machine. */
const OUTGOING = " ip4:OUTGOING-ADDRESS";

/** What others look up to deliver mail to the domain and to trust mail from it. */
export function recordsOf({ settings, addresses, domain, key }: Publisher): readonly DnsRecord[] {
  const { hostname, domains, "dkim.selector": selector, "outbound.relay": relay } = settings;
  const ip4 = settings["proxy.networks"].length > 0 && !addresses.some(isV4) ? OUTGOING : "";
  const spf = relay === "" ? `v=spf1 mx${ip4} -all` : `v=spf1 mx a:${hostAndPort(relay).host} ~all`;
  const service = (name: "imaps" | "submissions" | "submission"): DnsRecord =>
    record("service", "SRV", `_${name}._tcp.${domain}`, `0 1 ${settings[`ports.${name}`]} ${hostname}.`);
  return [
    record("mx", "MX", domain, `10 ${hostname}.`),
    ...addresses.flatMap((address) => [addressRecord(hostname, address), reverseRecord(settings, address)]),
    record("spf", "TXT", domain, spf),
    // A name must not have two SPF records (RFC 7208, 4.5), and a relay sends its own name in HELO.
    ...(domains.includes(hostname) || relay !== "" ? [] : [record("helo_spf", "TXT", hostname, `v=spf1 a${ip4} -all`)]),
    record("dkim", "TXT", `${selector}._domainkey.${domain}`, `v=DKIM1; k=rsa; p=${key}`),
    record("dmarc", "TXT", `_dmarc.${domain}`, `v=DMARC1; p=quarantine; rua=mailto:postmaster@${domain}`),
    record("tls_report", "TXT", `_smtp._tls.${domain}`, `v=TLSRPTv1; rua=mailto:postmaster@${domain}`),
    service("imaps"),
    service("submissions"),
    service("submission"),
  ];
}

function record(kind: RecordKind, type: DnsRecord["type"], name: string, value: string): DnsRecord {
  return { name, type, value, kind, ...KINDS[kind] };
}

/** Prints records as lines of a zone file, with a comment before each. */
export function printZone(records: readonly DnsRecord[]): string {
  return records
    .map(({ name, type, value, says, required }) => {
      const data = type === "TXT" ? pieces(value) : value;
      return `; ${says}${required ? "" : " Optional."}\n${name}. ${type} ${data}`;
    })
    .join("\n");
}

/** A record as a registrar's form asks for it: the name without the domain, the text in one piece, the priority apart. */
export type FormFields = Readonly<{ type: DnsRecord["type"]; name: string; priority: number | null; value: string }>;

export function formFields({ name, type, value }: DnsRecord, domain: string): FormFields {
  const below = name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : name;
  const [, priority, rest] = (type === "MX" || type === "SRV" ? /^(\d+) (.*)$/.exec(value) : null) ?? [];
  return {
    type,
    name: name === domain ? "@" : below,
    priority: priority === undefined ? null : Number(priority),
    value: (rest ?? value).replace(/\.$/, ""),
  };
}

/** `7.113.0.203.in-addr.arpa` (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: Ip): string {
  return listQuery(address, isV4(address) ? "in-addr.arpa" : "ip6.arpa");
}

export function addressRecord(hostname: string, address: Ip): DnsRecord {
  return record("address", isV4(address) ? "A" : "AAAA", hostname, address);
}

export function reverseRecord(settings: Pick<Settings, "hostname" | "outbound.relay">, address: Ip): DnsRecord {
  const reverse = record("reverse", "PTR", reverseName(address), `${settings.hostname}.`);
  if (settings["outbound.relay"] === "") return reverse;
  return { ...reverse, says: "Your provider sets this; mail through the relay does not need it.", required: false };
}

/** A string of a TXT record holds at most 255 octets. */
function pieces(text: string): string {
  return (text.match(/.{1,255}/g) ?? [""]).map((piece) => `"${piece}"`).join(" ");
}

export type RecordVerdict = Pick<PublishedRecord, "status" | "detail">;

/** Whether the published records do their job; they do not have to be the same to the letter. */
export function judge(record: DnsRecord, published: DnsAnswer<string>): RecordVerdict {
  if (!published.ok) return { status: "unknown", detail: `The resolver did not answer (${published.reason}).` };
  if (published.found.length === 0) return MISSING;
  return (JUDGES[record.kind] ?? judgeExact)(record, published.found);
}

/** By kind; records of other kinds must be published exactly as proposed. */
const JUDGES: Partial<Record<RecordKind, typeof judgeExact>> = {
  spf: judgeSpf,
  helo_spf: judgeSpf,
  dkim: judgeDkim,
  dmarc: judgeDmarc,
  tls_report: judgeTlsReport,
  mx: judgeHost,
};

function judgeSpf(record: DnsRecord, values: readonly string[]): RecordVerdict {
  const found = values.filter((value) => /^v=spf1( |$)/i.test(value));
  const [only] = found;
  if (only === undefined) return MISSING;
  // RFC 7208 section 4.5: with two, every receiver gives up.
  if (found.length > 1) return wrong("There are several SPF records; only one is allowed.");
  if (only.includes(OUTGOING)) return wrong("Replace OUTGOING-ADDRESS with the IPv4 address from which mail leaves.");
  const outgoing = parseIp(/ ip4:([\d.]+) /.exec(only)?.[1] ?? "");
  const proposed = outgoing === null || isPrivate(outgoing) ? only : only.replace(` ip4:${outgoing}`, OUTGOING);
  if (proposed === record.value) return { status: "ok", detail: only };
  if (/[+?]?\ball$/i.test(only) && !/[-~]all$/i.test(only)) return wrong(`It lets anyone send: ${only}`);
  return { status: "unknown", detail: `It differs from the proposal; make sure that it names this server: ${only}` };
}

function judgeDkim(record: DnsRecord, values: readonly string[]): RecordVerdict {
  const keyOf = (text: string): string | undefined => /(?:^|;)\s*p\s*=([^;]*)/.exec(text)?.[1]?.replaceAll(/\s/g, "");
  const same = values.length === 1 && keyOf(values[0] ?? "") === keyOf(record.value);
  return same
    ? { status: "ok", detail: "It is this server's key." }
    : wrong("It is not the key that this server signs with.");
}

function judgeDmarc(_: DnsRecord, values: readonly string[]): RecordVerdict {
  const found = values.filter((value) => /^v=DMARC1\s*;/.test(value));
  const [only] = found;
  if (only === undefined) return MISSING;
  if (found.length > 1) return wrong("There are several DMARC records; only one is allowed.");
  const policy = /;\s*p\s*=\s*(none|quarantine|reject)\s*(;|$)/i.exec(only)?.[1]?.toLowerCase();
  if (policy === undefined) return wrong(`It has no policy (p=): ${only}`);
  return { status: "ok", detail: policy === "none" ? `It only watches (p=none): ${only}` : only };
}

/** Senders try the lowest preference first, and any host of those with the same (RFC 5321 section 5.1). */
function judgeHost({ value }: DnsRecord, values: readonly string[]): RecordVerdict {
  const ours = values.filter((one) => lastWord(one) === lastWord(value));
  const others = values.filter((one) => !ours.includes(one));
  const named = (all: readonly string[]): string => all.map(lastWord).join(", ");
  if (ours.length === 0) return wrong(`It names ${named(others)}`);
  if (others.length === 0) return { status: "ok", detail: "It names only this server." };
  const own = Math.min(...ours.map(preferenceOf));
  const first = others.filter((one) => preferenceOf(one) <= own);
  if (first.length === 0) return { status: "ok", detail: `It names this server and ${named(others)}` };
  const detail = `Mail may go first to these hosts; make sure that they pass it on: ${named(first)}`;
  return { status: first.some((one) => preferenceOf(one) < own) ? "wrong" : "unknown", detail };
}

function preferenceOf(mx: string): number {
  return Number.parseInt(mx, 10);
}

function judgeExact(record: DnsRecord, values: readonly string[]): RecordVerdict {
  const wanted = record.value.toLowerCase();
  if (!values.some((value) => value.toLowerCase() === wanted)) return wrong(`It says ${values.join(", ")}`);
  return { status: "ok", detail: values.join(", ") };
}

function judgeTlsReport(_: DnsRecord, values: readonly string[]): RecordVerdict {
  const first = values.find((value) => value.startsWith("v=TLSRPTv1"));
  return first === undefined ? MISSING : { status: "ok", detail: first };
}

const MISSING: RecordVerdict = { status: "missing", detail: "It is not published." };

function wrong(detail: string): RecordVerdict {
  return { status: "wrong", detail };
}

function lastWord(text: string): string {
  return text.slice(text.lastIndexOf(" ") + 1).toLowerCase();
}
