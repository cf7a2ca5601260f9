import { createPublicKey } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { codeOf } from "../../../../core/error.ts";
import { asciiDomain } from "../../../../core/net/address.ts";
import type { Ip } from "../../../../core/net/ip.ts";
import { plural } from "../../../../core/text.ts";
import { outgoingAddresses, ownAddresses, publicAmong } from "../../../../host/machine/own-addresses.ts";
import { hasGroup } from "../../../../host/machine/system-users.ts";
import { makeDkimKeys } from "../../../../mail/configuration/apply.ts";
import {
  type ComparedRecord,
  comparedAll,
  type ExpectedRecords,
  expectedRecords,
  isV4Outside,
} from "../../../../mail/dns/published-records.ts";
import { type DnsRecord, type FormFields, formFields, printZone } from "../../../../mail/dns/records.ts";
import { dkimKeys } from "../../../../mail/rspamd/rspamd-conf.ts";
import { CONTENT_USERS, type Layout } from "../../../../settings/layout.ts";
import type { Settings } from "../../../../settings/schema.ts";
import { type Answer, type Call, done, type Failure, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { columns, oneLine } from "../../print/text.ts";
import { settingsInFile, withSettings } from "../../server-settings.ts";

/** Facts that a server cannot find out about itself. */
const NOT_CHECKED = [
  "Cannot be verified from here: whether others reach port 25 of this server, and what their resolvers still have cached.",
  "Optional, and served by a web server: MTA-STS (RFC 8461); see docs/dns-records.md.",
];

export const dnsRecords = withSettings(async (call, { settings }) => {
  const domains = call.args[0] === undefined ? settings.domains : [asciiDomain(call.args[0])];
  const { layout } = call;
  // Creates the keys of a selector that is not applied yet, so that its records can be published before it signs mail.
  if (process.getuid?.() === 0 && existsSync(layout.dkimKeys) && hasGroup(CONTENT_USERS.rspamd))
    makeDkimKeys({ layout, domains: settings.domains, dkimSelector: settings["dkim.selector"] });
  const outgoing = await outgoingAddresses();
  const [texts, json]: [string[], (DnsRecord & Readonly<{ form: FormFields }>)[]] = [[], []];
  for (const domain of domains) {
    const found = recordsFor(call, settings, domain);
    if ("ok" in found) return found;
    const { records, addresses } = found;
    const withForms = records.map((record) => ({ ...record, form: formFields(record, domain) }));
    const rows = withForms.map(({ form: { type, name, priority, value } }) => [type, name, priority ?? "-", value]);
    const table = columns([["TYPE", "NAME", "PRIORITY", "VALUE"], ...rows.map((row) => row.map(String))]);
    json.push(...withForms);
    texts.push(
      ...outsideHint(addresses, outgoing),
      printZone(records),
      `;\n; The same records for a registrar's web form, in the zone ${domain}. A name outside it goes into its own zone:`,
      ...table.split("\n").map((line) => `; ${line}`),
    );
  }
  return done({ records: json }, texts.join("\n"), `${PROGRAM} dns check ${domains[0] ?? ""}`);
}, settingsInFile);

export const dnsCheck = withSettings(async (call, { settings }) => {
  const domain = asciiDomain(call.args[0] ?? "");
  const found = recordsFor(call, settings, domain);
  if ("ok" in found) return found;
  call.terminal.progress(`Asking for ${plural(found.records.length, "record")} ...`);
  return outcomeOf(domain, await comparedAll(found));
}, settingsInFile);

/** Exported for its test. */
export function outcomeOf(domain: string, checks: readonly ComparedRecord[]): Answer {
  const items = checks.map(({ record: { name, type, value, required }, verdict }) => {
    return { name, type, required, expected: value, ...verdict };
  });
  const rows = items.map(({ status, name, type, required, detail }) => [
    status === "missing" && !required ? "optional" : status,
    type,
    name,
    detail,
  ]);
  const text = [columns([["STATE", "TYPE", "NAME", ""], ...rows]), ...NOT_CHECKED].join("\n");
  const unanswered = checks.filter(({ record, isAnswered }) => record.required && !isAnswered);
  const bad = items.filter(({ status, required }) => required && status !== "ok" && status !== "unknown");
  if (bad.length + unanswered.length === 0) return done({ ok: true, records: items }, text);
  const more = { lines: text.split("\n"), json: { ok: false, records: items } };
  if (bad.length === 0)
    return failed(
      `${plural(unanswered.length, "required record")} could not be looked up.`,
      `\`${PROGRAM} status\` shows whether the resolver works.`,
      more,
    );
  return failed(
    `${plural(bad.length, "record is", "records are")} missing or wrong.`,
    `\`${PROGRAM} dns records ${domain}\` prints them.`,
    more,
  );
}

/** Exported for its test. */
export function outsideHint(addresses: readonly Ip[], outgoing: readonly Ip[]): readonly string[] {
  const [lacks, types, unless] =
    addresses.length === 0
      ? ["address", "A, AAAA", ""]
      : ["IPv4 address", "A", " if it forwards port 25; otherwise see docs/mail-proxy.md"];
  if (addresses.length > 0 && !isV4Outside(addresses, outgoing)) return [];
  return [
    `; This machine has no public ${lacks}: publish ${types} and PTR records of the address in front of it${unless}.`,
  ];
}

function recordsFor({ layout }: Call, settings: Settings, domain: string): ExpectedRecords | Failure {
  if (!settings.domains.includes(domain))
    return wrongUsage(
      `"${oneLine(domain)}" is not a mail domain of this server.`,
      `It has: ${settings.domains.join(", ")}.`,
    );
  return recordsOfDomain({ layout, settings, addresses: publicAmong(ownAddresses()) }, domain);
}

/** `domain` is one of the settings' mail domains. */
export function recordsOfDomain(
  { layout, settings, addresses }: Readonly<{ layout: Layout; settings: Settings; addresses: readonly Ip[] }>,
  domain: string,
): ExpectedRecords | Failure {
  const key = publicKey(layout, settings, domain);
  return typeof key === "string" ? expectedRecords(settings, addresses, domain, key) : key;
}

/** The public key, derived from the private key that signs, so that the two always match. */
function publicKey(layout: Layout, settings: Settings, domain: string): string | Failure {
  const site = { layout, domains: [domain], dkimSelector: settings["dkim.selector"] };
  const file = dkimKeys(site)[0]?.file ?? "";
  try {
    if (existsSync(file) || process.getuid?.() === 0)
      return createPublicKey(readFileSync(file)).export({ type: "spki", format: "der" }).toString("base64");
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT")
      return failed(
        `${domain} has no key yet.`,
        `Start the server first; then \`sudo ${PROGRAM} dns records ${domain}\` creates it.`,
      );
    if (code !== "EACCES") throw error;
  }
  return failed("The keys may be read by root only.", "Try again with sudo.");
}
