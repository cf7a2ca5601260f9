import { createPublicKey } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { PublishedRecords } from "../../adapters/dns/published.ts";
import { codeOf } from "../../core/error.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import { dkimKeys } from "../../render/rspamd/dkim-keys.ts";
import type { Settings } from "../../settings/schema.ts";
import { type DnsRecord, printZone, recordsOf } from "../../wire/dns/records.ts";
import { judge, type RecordVerdict } from "../../wire/dns/verdict.ts";
import {
  type CommandCall,
  type CommandFailure,
  type CommandOutcome,
  done,
  failed,
  PROGRAM,
  wrongUsage,
} from "../call.ts";
import { columns, oneLine } from "../print/text.ts";
import { settingsOf } from "./server-settings.ts";

/** Facts that a server cannot find out about itself. */
const UNSEEN = [
  "Cannot be verified from here: whether others reach port 25 of this server, and what their own resolvers still remember.",
  "Optional, and served by a web server: MTA-STS (RFC 8461); see docs/dns-records.md.",
];

export async function dnsRecords(call: CommandCall): Promise<CommandOutcome> {
  const found = recordsFor(call);
  if ("ok" in found) return found;
  const { records, addresses } = found;
  const note = addresses.length === 0 ? [`; ${NO_ADDRESS}`] : [];
  return done({ records }, [...note, printZone(records)].join("\n"), `${PROGRAM} dns check ${call.args[0] ?? ""}`);
}

export async function dnsCheck(call: CommandCall): Promise<CommandOutcome> {
  const found = recordsFor(call);
  if ("ok" in found) return found;
  const published = new PublishedRecords(found.settings["dns.address"]);
  const checks = await Promise.all(
    found.records.map(async (record) => ({ record, verdict: judge(record, await published.find(record)) })),
  );
  if (found.addresses.length === 0) checks.push(await serverName(found.settings.hostname, published));
  const items = checks.map(({ record: { name, type, value, required }, verdict }) => ({
    name,
    type,
    required,
    expected: value,
    ...verdict,
  }));
  const rows = items.map(({ status, name, type, required, detail }) => [
    status === "missing" && !required ? "optional" : status,
    type,
    name,
    detail,
  ]);
  const text = [columns([["STATE", "TYPE", "NAME", ""], ...rows]), ...UNSEEN].join("\n");
  const bad = items.filter(({ status, required }) => required && status !== "ok" && status !== "unknown");
  if (bad.length === 0) return done({ ok: true, records: items }, text);
  return {
    ...failed(
      `${plural(bad.length, "record is", "records are")} missing or wrong.`,
      `\`${PROGRAM} dns records ${call.args[0] ?? ""}\` prints them.`,
    ),
    found: { lines: text.split("\n"), json: { ok: false, records: items } },
  };
}

const NO_ADDRESS =
  "This machine has no public address of its own: publish A and AAAA of what stands before it, and their PTR.";

type Found = Readonly<{ records: readonly DnsRecord[]; addresses: readonly Ip[]; settings: Settings }>;

function recordsFor(call: CommandCall): Found | CommandFailure {
  const domain = (call.args[0] ?? "").toLowerCase();
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const { settings } = loaded;
  if (!settings.domains.includes(domain))
    return wrongUsage(
      `"${oneLine(domain)}" is not a mail domain of this server.`,
      `It has: ${settings.domains.join(", ")}.`,
    );
  const key = publicKey(call, settings, domain);
  if (typeof key !== "string") return key;
  const addresses = publicAddresses();
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

/** Derived from the private key that signs, so the two always match. */
function publicKey(call: CommandCall, settings: Settings, domain: string): string | CommandFailure {
  const site = { layout: call.layout, domains: [domain], dkimSelector: settings["dkim.selector"] };
  const file = dkimKeys(site)[0]?.file ?? "";
  try {
    if (existsSync(file) || process.getuid?.() === 0)
      return createPublicKey(readFileSync(file)).export({ type: "spki", format: "der" }).toString("base64");
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return failed(`${domain} has no key yet.`, "Start the server first, or `config apply`.");
    if (code !== "EACCES") throw error;
  }
  return failed("The keys may be read by root only.", "Try again with sudo.");
}

/** Public addresses, as the kernel lists them. */
function publicAddresses(): readonly Ip[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all
    .filter(({ internal, address }) => !internal && !PRIVATE.test(address))
    .map(({ address }) => parseIp(address))
    .filter((address) => address !== null);
}

/** RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 section 2.5.6. */
const PRIVATE =
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.|f[cd]|fe[89ab])/i;

/** Behind a NAT only the name can be looked up: whether the address leads here is unknown. */
async function serverName(
  hostname: string,
  published: PublishedRecords,
): Promise<Readonly<{ record: DnsRecord; verdict: RecordVerdict }>> {
  const record: DnsRecord = { name: hostname, type: "A", value: "", kind: "address", says: "", required: true };
  const answer = await published.find(record);
  if (answer.type !== "values") return { record, verdict: judge(record, answer) };
  const detail = `It says ${answer.values.join(", ")}; whether that leads here cannot be verified from here.`;
  return { record, verdict: { status: "unknown", detail } };
}

/** `[smtp.example.net]:587` without Postfix's brackets and port. */
function relayHost(nextHop: string): string | null {
  return /^\[(.+)\]:\d+$/.exec(nextHop)?.[1] ?? null;
}
