import { isV4, type Prefix } from "../../core/net/ip.ts";
import type { Outcome } from "../../engine/ports.ts";
import { SocketEnder } from "./end-sockets.ts";

/** The kernel takes a filter of at most 64 KB; an IPv6 network needs about 30 bytes. */
const PREFIXES_PER_FILTER = 1_000;

/** Ends TCP sessions on any port. If that is impossible, the firewall still drops their next packet. */
export class SessionCutter {
  readonly #ender: SocketEnder;

  constructor(path: string) {
    this.#ender = new SocketEnder(path);
  }

  async cut(prefixes: readonly Prefix[]): Promise<Outcome> {
    for (let i = 0; i < prefixes.length; i += PREFIXES_PER_FILTER) {
      const filter = prefixes
        .slice(i, i + PREFIXES_PER_FILTER)
        .flatMap(filterTerm)
        .slice(1);
      const ended = await this.#ender.end(filter);
      if (!ended.ok) return ended;
    }
    return { ok: true };
  }
}

function filterTerm(prefix: Prefix): readonly string[] {
  return ["or", "dst", isV4(prefix) ? prefix : `[${prefix}]`];
}
