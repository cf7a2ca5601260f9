import { type FirewallBan, type Networks, planReset, planSteps } from "../../core/firewall/plan-firewall.ts";
import { isV4, type Prefix } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import type { Millis } from "../../core/time.ts";
import type { BanStep, CheckDepth, CheckOutcome, Firewall, ResetOutcome } from "../../guard/network-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import { FIRST_OF_CLIENTS } from "../kernel/listeners.ts";
import { type Finished, NOT_INSTALLED, TIMED_OUT } from "../machine/run-program.ts";
import { createSocketEnder } from "./end-sockets.ts";
import {
  countPresent,
  isWhole,
  nftApply,
  nftPresenceProbe,
  nftProbe,
  nftReset,
  TABLE,
  type TableShape,
} from "./guard-table.ts";
import { causeOf, NftSession, removeTable, runTool } from "./run-nft.ts";

/** Longer lines run in their own process, because `nft -i` reads one character at a time. */
const SESSION_LINE_CHARACTERS = 8_192;
const BATCH_TIMEOUT_MS = 30_000;
/** Matches all sockets except those for whose packets the table has an exception. */
const OPENED_BY_CLIENTS = ["(", "dport", ">=", ":1024", "or", "sport", "<", `:${FIRST_OF_CLIENTS}`, ")"];
const DONE: Outcome = { ok: true };
const NOT_PERMITTED = "Operation not permitted";

/** nft(8) prints about 170 bytes for each, and longer output is cut, which would make the count too low. */
const PROBED_AT_ONCE = 1_000;

/**
 * The kernel's packet filter, by nft(8), with one table. Its bans stay when the guard ends. The caller awaits each call of
 * `reset` and `apply` before the next; the other methods may run at the same time.
 */
export class NftFirewall implements Firewall {
  readonly #shapeNow: () => TableShape;
  readonly #path: string | undefined;
  readonly #session: NftSession;
  readonly #endSockets: ReturnType<typeof createSocketEnder>;
  /** The shape for which the table was last built. */
  #built: TableShape | null = null;
  #networks: Networks = new Map();

  /** `shape`: read at each reset. `path`: where to find `nft` and `ss`. */
  constructor(shape: () => TableShape, path?: string) {
    this.#shapeNow = shape;
    this.#path = path;
    this.#session = new NftSession(path);
    this.#endSockets = createSocketEnder(path);
  }

  async reset(bans: Iterable<FirewallBan>, allow: readonly Prefix[], now: Millis): Promise<ResetOutcome> {
    const whole = this.#shapeNow();
    const make = async (shape: TableShape): Promise<Outcome> => {
      const { fillings, networks } = planReset(bans, now, whole.ipv6Length);
      const outcome = outcomeOf(await this.#nft(["-f", "-"], nftReset(fillings, allow, shape)));
      if (!outcome.ok) return outcome;
      this.#networks = networks;
      this.#built = shape;
      return outcome;
    };
    const made = await make(whole);
    if (made.ok || whole.connections === null) return made;
    // A kernel without nft_connlimit refuses the whole table. Then only the guard enforces the limit, as long as it runs.
    if (!/No such file or directory|not supported/i.test(made.reason)) return made;
    const withoutCounts = await make({ ...whole, connections: { ...whole.connections, kernelCounts: false } });
    return withoutCounts.ok ? { ok: true, uncounted: made.reason } : made;
  }

  async apply(steps: readonly BanStep[], now: Millis): Promise<Outcome> {
    const { changes, networks } = planSteps(this.#networks, steps, now, this.#shape.ipv6Length);
    const line = nftApply(changes);
    const outcome = line === "" ? DONE : await this.#carryOut(line);
    if (outcome.ok) this.#networks = networks;
    return outcome;
  }

  async holds(prefixes: readonly Prefix[]): Promise<Outcome> {
    const probes = nftPresenceProbe(prefixes, this.#shape.ipv6Length);
    let present = 0;
    for (let from = 0; from < probes.length; from += PROBED_AT_ONCE) {
      const some = probes.slice(from, from + PROBED_AT_ONCE).join("");
      const ran = await this.#nft(["-c", "-f", "-"], some);
      if (!hasChecked(ran)) return outcomeOf(ran);
      present += countPresent(ran.stderr);
    }
    return present === probes.length
      ? DONE
      : { ok: false, reason: `The kernel holds ${present} of ${plural(probes.length, "ban")}.` };
  }

  /**
   * Ends TCP sessions on any port, except those that this machine opened. If that is impossible, the firewall still refuses the next
   * packet of each session.
   */
  cut(prefixes: readonly Prefix[]): Promise<Outcome> {
    const conditions = prefixes.map((prefix) => ["dst", isV4(prefix) ? prefix : `[${prefix}]`]);
    return this.#endSockets(conditions, OPENED_BY_CLIENTS);
  }

  async check(depth: CheckDepth): Promise<CheckOutcome> {
    const ran = await this.#nft(["-c", "-f", "-"], nftProbe(this.#shape, depth));
    if (isWhole(ran.stderr, this.#shape, depth)) return DONE;
    if (!hasChecked(ran)) return outcomeOf(ran);
    return { ok: false, reason: "The firewall's table was changed or removed by someone else.", isLost: true };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Removes the table with all bans. */
  async remove(): Promise<Outcome> {
    return outcomeOf(await this.#nft(["-f", "-"], removeTable(TABLE)));
  }

  get #shape(): TableShape {
    return this.#built ?? this.#shapeNow();
  }

  async #carryOut(line: string): Promise<Outcome> {
    if (line.length > SESSION_LINE_CHARACTERS) return outcomeOf(await this.#nft(["-f", "-"], `${line}\n`));
    const answer = await this.#session.run(line);
    if (answer.type === "lost") return { ok: false, reason: reasonOf(answer.why) };
    return answer.errors === "" ? DONE : { ok: false, reason: reasonOf(answer.errors) };
  }

  #nft(args: readonly string[], input: string | Iterable<string>): Promise<Finished> {
    return runTool("nft", args, { path: this.#path, input, timeoutMs: BATCH_TIMEOUT_MS });
  }
}

/** Whether nft read the whole probe; its errors then describe the table. */
function hasChecked({ code, stderr }: Finished): boolean {
  return code < TIMED_OUT && !stderr.includes(NOT_PERMITTED);
}

function outcomeOf(ran: Finished): Outcome {
  return ran.code === 0 ? DONE : { ok: false, reason: reasonOf(ran.stderr) };
}

function reasonOf(errors: string): string {
  if (errors.includes(NOT_PERMITTED)) return "The guard lacks CAP_NET_ADMIN, so it cannot change the firewall.";
  if (errors === NOT_INSTALLED) return "The program `nft` is not installed (Debian package nftables).";
  return `nft failed: ${causeOf(errors)}.`;
}
