import { Resolver } from "node:dns/promises";
import type { DnsRecord } from "../../wire/dns/records.ts";
import type { Published } from "../../wire/dns/verdict.ts";

const TIMEOUT_MS = 5_000;
const NO_SUCH: readonly unknown[] = ["ENOTFOUND", "ENODATA"];

/** Looks records up at one resolver (node:dns). Never rejects. */
export class PublishedRecords {
  readonly #resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });

  constructor(server: string) {
    this.#resolver.setServers([server]);
  }

  async find({ name, type }: Pick<DnsRecord, "name" | "type">): Promise<Published> {
    try {
      const values = await this.#values(name, type);
      return values.length === 0 ? { type: "none" } : { type: "values", values };
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "failed";
      return NO_SUCH.includes(code) ? { type: "none" } : { type: "failed", why: String(code) };
    }
  }

  async #values(name: string, type: DnsRecord["type"]): Promise<readonly string[]> {
    switch (type) {
      case "A":
        return this.#resolver.resolve4(name);
      case "AAAA":
        return this.#resolver.resolve6(name);
      case "MX":
        return (await this.#resolver.resolveMx(name)).map(({ priority, exchange }) => `${priority} ${exchange}.`);
      case "TXT":
        return (await this.#resolver.resolveTxt(name)).map((strings) => strings.join(""));
      case "PTR":
        return (await this.#resolver.resolvePtr(name)).map((host) => `${host}.`);
      case "SRV":
        return (await this.#resolver.resolveSrv(name)).map(
          ({ priority, weight, port, name: host }) => `${priority} ${weight} ${port} ${host}.`,
        );
    }
  }
}
