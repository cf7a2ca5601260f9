import { Resolver } from "node:dns/promises";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { codeOf, messageOf } from "../../core/error.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { DnsAnswer, NameAnswer, NameLookup, Names } from "../../guard/network-ports.ts";

/** Longer than any deadline that waits for it, so a late answer still arrives. */
const TIMEOUT_MS = 3_000;
/** Codes of dns.Resolver: no such name, or no record of this type. Any other means that the DNS did not answer. */
const NO_SUCH: readonly string[] = ["ENOTFOUND", "ENODATA"];

/** Asks one resolver and ignores /etc/resolv.conf (node:dns, c-ares). */
export class ResolverNames implements Names, NameLookup {
  readonly #tries: number;
  #resolver: Resolver;

  /** `server` as `127.0.0.1` or `127.0.0.1:5353`. */
  constructor(server: string, tries = 1) {
    this.#tries = tries;
    this.#resolver = createResolver(server, { tries });
  }

  /** Asks another resolver from now on. Open questions end on their own. */
  use(server: string): void {
    this.#resolver = createResolver(server, { tries: this.#tries });
  }

  async v4Addresses(name: string): Promise<NameAnswer> {
    const answer = await answerOf(() => this.#resolver.resolve4(name, { ttl: true }));
    if (!answer.ok) return { type: "failed", why: answer.reason };
    if (answer.found.length === 0) return { type: "none" };
    const ttlMs = Math.min(...answer.found.map(({ ttl }) => ttl)) * SECOND_MS;
    return { type: "addresses", addresses: answer.found.map(({ address }) => address), ttlMs };
  }

  texts(name: string): Promise<DnsAnswer<string>> {
    return answerOf(async () => (await this.#resolver.resolveTxt(name)).map((strings) => strings.join("")));
  }

  async addresses(name: string): Promise<DnsAnswer<Ip>> {
    const v4 = await answerOf(() => this.#resolver.resolve4(name));
    if (!v4.ok) return { ok: false, reason: v4.reason };
    const v6 = await answerOf(() => this.#resolver.resolve6(name));
    const ips = [...v4.found, ...(v6.ok ? v6.found : [])].map(parseIp).filter((ip) => ip !== null);
    return v6.ok ? { ok: true, found: ips } : { ok: false, reason: v6.reason, partial: ips };
  }

  exchanges(name: string): Promise<DnsAnswer<string>> {
    return answerOf(async () => (await this.#resolver.resolveMx(name)).map(({ exchange }) => exchange));
  }

  /** Open questions fail. */
  cancel(): void {
    this.#resolver.cancel();
  }
}

/** Asks only this server: an address, for port 53, or `address:port`. */
export function createResolver(server: string, { tries = 1, timeoutMs = TIMEOUT_MS } = {}): Resolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  resolver.setServers([server]);
  return resolver;
}

/** The records that the DNS has, possibly none; otherwise a code of dns.Resolver such as `ETIMEOUT`. Never rejects. */
export async function answerOf<T>(ask: () => Promise<readonly T[]>): Promise<DnsAnswer<T>> {
  try {
    return { ok: true, found: await ask() };
  } catch (error) {
    const code = codeOf(error);
    return NO_SUCH.includes(code) ? { ok: true, found: [] } : { ok: false, reason: code || messageOf(error) };
  }
}

/** Unbound answers it itself, without asking anyone (RFC 6303 section 3). */
const BUILT_IN = "1.0.0.127.in-addr.arpa";

/** Whether a resolver answers anything at all. `server` as `127.0.0.1` or `127.0.0.1:5353`. Never throws. */
export async function probeResolver(server: string, timeoutMs: number): Promise<ProbeResult> {
  const resolver = createResolver(server, { timeoutMs });
  try {
    await resolver.resolvePtr(BUILT_IN);
    return { ok: true };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ETIMEOUT") return { ok: false, hangs: true, says: `gave no answer within ${timeoutMs / 1_000} s` };
    if (code === "ECONNREFUSED") return { ok: false, hangs: false, says: `cannot be reached (${code})` };
    // A missing name is an answer too.
    return { ok: true };
  }
}
