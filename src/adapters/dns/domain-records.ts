import type { Ip } from "../../core/net/ip.ts";
import type { Settings } from "../../settings/schema.ts";
import { type DnsRecord, recordsOf } from "../../wire/dns/records.ts";
import { judge } from "../../wire/dns/verdict.ts";
import { type ComparedRecord, comparedAddresses, comparedReverse, outsideAddresses } from "./outside-address.ts";
import { PublishedRecords } from "./published.ts";

export type Wanted = Readonly<{ records: readonly DnsRecord[]; addresses: readonly Ip[]; settings: Settings }>;

/** Records to publish for a domain of the settings. `addresses`: the machine's public addresses; `key`: the DKIM key in base64. */
export function wantedRecords(settings: Settings, addresses: readonly Ip[], domain: string, key: string): Wanted {
  const records = recordsOf({
    domain,
    hostname: settings.hostname,
    addresses,
    dkim: { selector: settings["dkim.selector"], publicKey: key },
    relay: relayHost(settings["outbound.relay"]),
    ports: {
      submission: settings["ports.submission"],
      submissions: settings["ports.submissions"],
      imaps: settings["ports.imaps"],
    },
  });
  return { records, addresses, settings };
}

/** All published records of the domain, and the addresses of the router or proxy in front of this machine. */
export async function comparedAll(wanted: Wanted): Promise<readonly ComparedRecord[]> {
  return (await Promise.all([compared(wanted), outside(wanted)])).flat();
}

/** Compares the published records with the expected ones. */
export async function compared({ records, settings }: Wanted): Promise<readonly ComparedRecord[]> {
  const published = new PublishedRecords(settings["dns.address"]);
  return Promise.all(records.map(async (record) => ({ record, verdict: judge(record, await published.find(record)) })));
}

/** The same for addresses of the name that are not the machine's. */
async function outside({ addresses, settings }: Wanted): Promise<readonly ComparedRecord[]> {
  const found = await outsideAddresses(settings, addresses);
  if (found.length > 0)
    return (await Promise.all([comparedAddresses(settings, found), comparedReverse(settings, found)])).flat();
  return addresses.length > 0 ? [] : [await missingName(settings)];
}

/** There must be at least one address. */
export async function missingName({ hostname, ...settings }: Settings): Promise<ComparedRecord> {
  const record: DnsRecord = { name: hostname, type: "A", value: "", kind: "address", says: "", required: true };
  return { record, verdict: judge(record, await new PublishedRecords(settings["dns.address"]).find(record)) };
}

/** `[smtp.example.net]:587` without Postfix's brackets and port. */
function relayHost(nextHop: string): string | null {
  return /^\[(.+)\]:\d+$/.exec(nextHop)?.[1] ?? null;
}
