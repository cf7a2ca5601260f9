import assert from "node:assert/strict";
import { MINUTE_MS } from "../../src/core/time.ts";
import { createBlockLists } from "../../src/guard/lookups/block-lists.ts";
import type { NameAnswer, Names } from "../../src/guard/network-ports.ts";
import { HandClock, NoticeBoard } from "./engine-kit.ts";
import { ip } from "./samples.ts";

export const [ZEN, COP] = ["zen.spamhaus.org", "bl.spamcop.net"] as const;
export const NONE: NameAnswer = { type: "none" };
export const HONEST: readonly string[] = [ZEN, COP].flatMap((zone) => [
  `2.0.0.127.${zone}`,
  `2.0.0.0.0.0.f.7.f.f.f.f.${"0.".repeat(20)}${zone}`,
]);

/** A DNS of honest lists; `say` changes the answer for a name, or for every name with that ending. */
export class Dns implements Names {
  readonly asked: string[] = [];
  readonly #said = new Map<string, NameAnswer | Promise<NameAnswer>>();

  say(ending: string, answer: string | NameAnswer | Promise<NameAnswer>): void {
    const addresses = (address: string): NameAnswer => ({ type: "addresses", addresses: [address], ttlMs: 120_000 });
    this.#said.set(ending, typeof answer === "string" ? addresses(answer) : answer);
  }

  addresses(name: string): Promise<NameAnswer> {
    this.asked.push(name);
    const endings = [...this.#said].filter(([ending]) => name.endsWith(ending));
    const said = endings.toSorted(([a], [b]) => b.length - a.length)[0]?.[1];
    if (said !== undefined) return Promise.resolve(said);
    const listed = HONEST.includes(name);
    return Promise.resolve(listed ? { type: "addresses", addresses: ["127.0.0.2"], ttlMs: 0 } : NONE);
  }
}

export async function started(dns: Dns = new Dns(), zones: readonly string[] = [ZEN, COP]) {
  const [clock, notices] = [new HandClock(), new NoticeBoard()];
  const lists = createBlockLists({ names: dns, clock, notices }, { zones, checkEveryMs: 5 * MINUTE_MS });
  await lists.probeDue();
  const aside = (): string => {
    const detail = notices.raised.get("dnsbl_set_aside");
    assert.notEqual(detail, "", "a raised notice has a detail");
    return detail ?? "";
  };
  return { dns, clock, lists, aside };
}

export const STRANGER = ip("198.51.100.7");
