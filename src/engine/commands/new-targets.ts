import type { AccountName } from "../../core/net/address.ts";
import { DAY_MS, type Millis } from "../../core/time.ts";
import { Shares } from "../budget.ts";
import type { AuditCommandParts } from "./audit.ts";

/** For all but root. Mail leaves by a forward past the limits of what an account sends. */
export const NEW_TARGETS_A_DAY = 5;
/** So many of the newest entries of the audit are looked through after a start. */
const PAGES = 20;
const PAGE = 100;

/** Counts the addresses to which accounts began to send their mail on. After a restart the audit says which they were. */
export class NewTargets {
  readonly #audited: AuditCommandParts["audited"];
  #shares: Shares<string> | null = null;

  constructor(audited: AuditCommandParts["audited"]) {
    this.#audited = audited;
  }

  /** False: the account has had as many within a day as it may. */
  spend(account: AccountName, now: Millis): boolean {
    this.#shares ??= this.#recorded(now);
    return this.#shares.spend(account, now);
  }

  #recorded(now: Millis): Shares<string> {
    const shares = new Shares<string>(NEW_TARGETS_A_DAY, DAY_MS);
    const seen = new Set<string>();
    for (const [account, target] of this.#latest(now)) {
      if (seen.has(`${account} ${target}`)) continue;
      seen.add(`${account} ${target}`);
      shares.spend(account, now);
    }
    return shares;
  }

  /** Account and target of each change by another than root within a day. */
  *#latest(now: Millis): Generator<readonly [account: string, target: string]> {
    let cursor: string | null = null;
    for (let page = 0; page < PAGES; page++) {
      const { items, next } = this.#audited.entries({ limit: PAGE, cursor });
      for (const { at, actor, type, subject } of items) {
        if (Date.parse(at) <= now - DAY_MS) return;
        if (type !== "FORWARDING_CHANGED" || actor === "root") continue;
        const [, account = "", targets = ""] = /^(\S+) to (.*?)(?:, without a copy here)?$/.exec(subject) ?? [];
        for (const target of targets.split(", ").filter((one) => one !== "")) yield [account, target];
      }
      if (next === null) return;
      cursor = next;
    }
  }
}
