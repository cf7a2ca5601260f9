import { messageOf } from "../../../core/error.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { DnsAnswer } from "../../../guard/network-ports.ts";
import { publicAmong } from "../../../host/machine/own-addresses.ts";
import {
  type ComparedRecord,
  compared,
  comparedOutside,
  createRecordLookup,
  type OutsideKind,
} from "../../../mail/dns/published-records.ts";
import type { RecordKind } from "../../../mail/dns/records.ts";
import { probeResolver } from "../../../mail/dns/resolver.ts";
import { PROGRAM } from "../call.ts";
import { oneLine } from "../print/text.ts";
import { recordsOfDomain } from "../verbs/server/dns.ts";
import { type Check, check, type Finding, ok, unknown, warning, worstOf, wrong } from "./check.ts";

const RESOLVER_MS = 5 * SECOND_MS;
const POLICY_MS = 8 * SECOND_MS;
/** RFC 8461 section 3.2 asks for less than 64 kB. */
const POLICY_BYTES = 65_536;

/** A missing record is only a warning if mail works without it. */
export function judgeRecord(domain: string, { record, verdict }: Pick<ComparedRecord, "record" | "verdict">): Finding {
  const saw = `${record.type} ${record.name}: ${verdict.detail}`;
  const fix = `${PROGRAM} dns records ${domain}  # prints what to publish`;
  if (verdict.status === "ok") return ok(saw);
  if (verdict.status === "unknown") return unknown(saw, fix);
  if (record.kind === "reverse" && !record.required) return ok(`${saw} Other servers get no mail from this address.`);
  return record.required ? wrong(saw, fix) : warning(saw, fix);
}

function records(kinds: readonly RecordKind[], does: string): Check {
  return check(does, async ({ layout, settings, machine }) => {
    const addresses = publicAmong(machine.addresses());
    const perDomain = settings.domains.map(async (domain) => {
      const found = recordsOfDomain({ layout, settings, addresses }, domain);
      if ("ok" in found) return [unknown(found.message, found.next)];
      const wanted = { ...found, records: found.records.filter(({ kind }) => kinds.includes(kind)) };
      return (await compared(wanted)).map((one) => judgeRecord(domain, one));
    });
    const findings = (await Promise.all(perDomain)).flat();
    return findings.length === 0 ? unknown("There is nothing to publish.") : worstOf(findings);
  });
}

type MtaSts = Readonly<{ domain: string; hostname: string; found: DnsAnswer<string>; policy: string | Error | null }>;

/** RFC 8461. `policy`: what the domain's web server returned, or why it returned nothing; null if no policy is announced. */
export function judgeMtaSts({ domain, hostname, found, policy }: MtaSts): Finding {
  const fix = "docs/dns-records.md explains how to publish MTA-STS";
  if (!found.ok) return unknown(`_mta-sts.${domain}: the resolver did not answer (${found.reason}).`);
  if (policy === null)
    return warning(`${domain} announces no MTA-STS: servers that deliver to it need not insist on TLS.`, fix);
  if (policy instanceof Error)
    return wrong(`${domain} announces MTA-STS, but its policy cannot be fetched: ${policy.message}`, fix);
  const hosts = [...policy.matchAll(/^mx:\s*(\S+)\s*$/gm)].map(([, host = ""]) => host.toLowerCase());
  // A wildcard matches exactly one label (section 4.1).
  const fits = [hostname, hostname.replace(/^[^.]+/, "*")].some((name) => hosts.includes(name));
  if (!/^version:\s*STSv1\s*$/m.test(policy) || !fits)
    return wrong(
      `The MTA-STS policy of ${domain} does not name ${hostname}: other servers may refuse to deliver.`,
      fix,
    );
  const mode = /^mode:\s*(\w+)/m.exec(policy)?.[1] ?? "none";
  if (mode !== "enforce") return warning(`The MTA-STS policy of ${domain} is only "${oneLine(mode)}".`, fix);
  return ok(`${domain} enforces TLS to ${hostname} (MTA-STS).`);
}

async function fetchedPolicy(domain: string): Promise<string | Error> {
  try {
    // RFC 8461 section 3.3: no redirects.
    const signal = AbortSignal.timeout(POLICY_MS);
    const answer = await fetch(`https://mta-sts.${domain}/.well-known/mta-sts.txt`, { redirect: "error", signal });
    return answer.ok ? (await answer.text()).slice(0, POLICY_BYTES) : new Error(`status ${answer.status}`);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return new Error(messageOf(cause));
  }
}

/** Includes addresses of the server's name that belong to a router or proxy in front of the machine. */
function withOutside(kind: OutsideKind, does: string): Check {
  const own = records([kind], does);
  return check(does, async (server) => {
    const { settings, machine } = server;
    const addresses = publicAmong(machine.addresses());
    const others = await comparedOutside({ addresses, settings }, [kind]);
    const findings = others.map((one) => judgeRecord(settings.domains[0] ?? "", one));
    if (addresses.length > 0) findings.unshift(await own.look(server));
    if (findings.length === 0) return unknown("The server's name has no address, so there is none to look up.");
    return worstOf(findings);
  });
}

export const dns = {
  mx: records(["mx"], "Looks up where each domain receives mail."),
  spf: records(["spf", "helo_spf"], "Looks up who may send for each domain and for the server's name (SPF)."),
  dkim: records(["dkim"], "Compares the published key of each domain with the one that signs (DKIM)."),
  dmarc: records(["dmarc"], "Looks up each domain's policy for unauthenticated mail (DMARC)."),
  address: withOutside(
    "address",
    "Looks up the addresses of the server's name, and reads the greeting at those of a router.",
  ),
  reverse: withOutside("reverse", "Looks up the name of the server's public addresses (reverse DNS)."),
  services: records(["service"], "Looks up the records by which mail programs find the server (SRV)."),
  "tls-report": records(["tls_report"], "Looks up where each domain receives reports about TLS failures."),
  "mta-sts": check(
    "Looks up each domain's MTA-STS record, and fetches the policy that it announces.",
    async ({ settings: { domains, hostname, ...settings } }) => {
      const published = createRecordLookup(settings["dns.address"]);
      const findings = domains.map(async (domain) => {
        const found = await published({ name: `_mta-sts.${domain}`, type: "TXT" });
        const isAnnounced = found.ok && found.found.some((value) => /^v=STSv1\s*;/.test(value));
        return judgeMtaSts({ domain, hostname, found, policy: isAnnounced ? await fetchedPolicy(domain) : null });
      });
      return worstOf(await Promise.all(findings));
    },
  ),
  resolver: check(
    "Asks the server's own resolver, which all its programs use.",
    async ({ settings: { "dns.address": address } }) => {
      const asked = await probeResolver(address, RESOLVER_MS);
      if (asked.ok) return ok(`The resolver at ${address} answers.`);
      return wrong(`The resolver at ${address} ${asked.says}.`, `${PROGRAM} status`);
    },
  ),
};
