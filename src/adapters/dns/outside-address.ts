import { type Ip, isV4, parseIp } from "../../core/net/ip.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Settings } from "../../settings/schema.ts";
import { type DnsRecord, reverseName } from "../../wire/dns/records.ts";
import { judge, type RecordVerdict } from "../../wire/dns/verdict.ts";
import { PortDialogue, SMTP_REPLY } from "../probes/port-dialogue.ts";
import { hasIpv4Way } from "./ipv4-way.ts";
import { PublishedRecords } from "./published.ts";

const GREETING_MS = 5 * SECOND_MS;
const SMTP_PORT = 25;

export type ComparedRecord = Readonly<{ record: DnsRecord; verdict: RecordVerdict }>;
type Named = Pick<Settings, "hostname" | "dns.address" | "outbound.relay">;

/**
 * Addresses of the server's name that belong to a router or proxy in front of the machine. Looked up for each family
 * in which the machine has no public address itself (`own`).
 */
export async function outsideAddresses({ hostname, ...settings }: Named, own: readonly Ip[]): Promise<readonly Ip[]> {
  const published = new PublishedRecords(settings["dns.address"]);
  const types = (["A", "AAAA"] as const).filter((type) => own.every((ip) => isV4(ip) !== (type === "A")));
  const found = await Promise.all(types.map((type) => published.find({ name: hostname, type })));
  return found.flatMap((one) => (one.type === "values" ? one.values.flatMap((text) => parseIp(text) ?? []) : []));
}

/** Whether they lead here: port 25 there greets with the server's name. Most routers refuse such connections from inside. */
export async function comparedAddresses(settings: Named, addresses: readonly Ip[]): Promise<readonly ComparedRecord[]> {
  return Promise.all(
    addresses.map(async (address) => {
      const type = isV4(address) ? "A" : "AAAA";
      const record = {
        name: settings.hostname,
        type,
        value: address,
        kind: "address",
        says: "",
        required: true,
      } as const;
      return { record, verdict: judgeOutside(address, settings.hostname, await greetingAt(address)) };
    }),
  );
}

/**
 * The reverse name of each, which matters to servers that get mail from it. No mail leaves from the IPv4 address of a proxy that only passes
 * mail on to a machine without IPv4.
 */
export async function comparedReverse(
  settings: Named,
  addresses: readonly Ip[],
  hasV4 = hasIpv4Way(),
): Promise<readonly ComparedRecord[]> {
  const published = new PublishedRecords(settings["dns.address"]);
  const { hostname } = settings;
  return Promise.all(
    addresses.map(async (address) => {
      const sends = settings["outbound.relay"] === "" && (hasV4 || !isV4(address));
      const [name, required] = [reverseName(address), sends];
      const record = { name, type: "PTR", value: `${hostname}.`, kind: "reverse", says: "", required } as const;
      return { record, verdict: judge(record, await published.find(record)) };
    }),
  );
}

/** `greeting`: the greeting on its port 25; null if there was none. */
export function judgeOutside(address: Ip, hostname: string, greeting: string | null): RecordVerdict {
  const fact = `It says ${address}, which is not an address of this machine but of a router or proxy before it`;
  const [code, name = ""] = greeting?.split(/[ -]/) ?? [];
  if (code === "220" && name.trim().toLowerCase() === hostname)
    return { status: "ok", detail: `${fact}; port ${SMTP_PORT} there leads here.` };
  const why = greeting === null ? "gives this machine no answer" : "greets with another name";
  return {
    status: "unknown",
    detail: `${fact}; port ${SMTP_PORT} there ${why}, so whether it leads here cannot be verified from here.`,
  };
}

async function greetingAt(host: Ip): Promise<string | null> {
  try {
    const dialogue = await PortDialogue.open({ host, port: SMTP_PORT, timeoutMs: GREETING_MS });
    const says = await dialogue.hears(SMTP_REPLY).catch(() => null);
    dialogue.close("QUIT");
    return says;
  } catch {
    return null;
  }
}
