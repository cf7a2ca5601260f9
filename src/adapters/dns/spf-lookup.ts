import { Resolver } from "node:dns/promises";
import { codeOf, messageOf } from "../../core/error.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import type { Found, NameLookup } from "../../engine/lookups/expand-spf.ts";

const TIMEOUT_MS = 3_000;
const TRIES = 2;

/** Asks one resolver and ignores /etc/resolv.conf. */
export class ResolverLookup implements NameLookup {
  #resolver: Resolver;

  /** `server` as `127.0.0.1` or `127.0.0.1:5353`. */
  constructor(server: string) {
    this.#resolver = resolverAt(server);
  }

  /** Asks another resolver from now on. */
  use(server: string): void {
    this.#resolver = resolverAt(server);
  }

  texts(name: string): Promise<Found<string>> {
    return found(async () => (await this.#resolver.resolveTxt(name)).map((strings) => strings.join("")));
  }

  async addresses(name: string): Promise<Found<Ip>> {
    const v4 = await found(() => this.#resolver.resolve4(name));
    if (!v4.ok) return v4;
    const v6 = await found(() => this.#resolver.resolve6(name));
    if (!v6.ok) return v6;
    return { ok: true, found: [...v4.found, ...v6.found].map(parseIp).filter((ip) => ip !== null) };
  }

  exchanges(name: string): Promise<Found<string>> {
    return found(async () => (await this.#resolver.resolveMx(name)).map(({ exchange }) => exchange));
  }

  /** Open questions fail. */
  cancel(): void {
    this.#resolver.cancel();
  }
}

function resolverAt(server: string): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  resolver.setServers([server]);
  return resolver;
}

/** The error codes that mean "no such record". */
const NOTHING: readonly string[] = ["ENODATA", "ENOTFOUND"];

async function found<T>(ask: () => Promise<readonly T[]>): Promise<Found<T>> {
  try {
    return { ok: true, found: await ask() };
  } catch (error) {
    const code = codeOf(error);
    if (NOTHING.includes(code)) return { ok: true, found: [] };
    return { ok: false, reason: messageOf(error) };
  }
}
