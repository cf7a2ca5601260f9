import { type Networks, planReset, planSteps } from "../../core/firewall/plan-firewall.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import type { Millis } from "../../core/time.ts";
import type { BanStep, Firewall, FirewallBan, ResetOutcome } from "../../guard/network-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import type { Finished } from "../machine/run-program.ts";
import type { ConnectionLimit } from "./connection-rules.ts";
import { SocketCutter } from "./end-sockets.ts";
import {
  countHeld,
  isWhole,
  type LocalPort,
  NFT_LIST,
  nftApply,
  nftHeldProbe,
  nftProbe,
  nftRemove,
  nftReset,
  type ProxyDoors,
  type TableShape,
} from "./guard-table.ts";
import { isMissing, NftSession, runTool, TOOL_PATH } from "./run-nft.ts";

/** Longer lines run in their own process, because `nft -i` reads one character at a time. */
const SESSION_LINE_CHARACTERS = 8_192;
const BATCH_TIMEOUT_MS = 30_000;
const DONE: Outcome = { ok: true };

export type NftOptions = Readonly<{
  /** The prefix length with which IPv6 is banned; read at each reset. */
  ipv6Prefix: () => number;
  /** Open connections that an address may have; read at each reset. Null: no limit. */
  connections?: () => ConnectionLimit | null;
  /** Which users may connect to these loopback ports; read at each reset. Other ports are open to any local program. */
  local?: () => readonly LocalPort[];
  /** Who may connect to the ports for proxies; read at each reset. Null: there are no such ports. */
  proxied?: () => ProxyDoors | null;
  /** Where to find `nft` and `ss`. */
  path?: string;
}>;

/**
 * The kernel's packet filter, by nft(8), with one table. Its bans stay when the guard ends.
 * The caller awaits `reset` and `apply` one after another; the other methods may run beside them.
 */
export class NftFirewall implements Firewall {
  readonly #ipv6Prefix: () => number;
  readonly #connections: () => ConnectionLimit | null;
  readonly #local: () => readonly LocalPort[];
  readonly #proxied: () => ProxyDoors | null;
  readonly #path: string;
  readonly #session: NftSession;
  readonly #cutter: SocketCutter;
  /** The state for which the table was last built. */
  #shape: TableShape;
  #networks: Networks = new Map();

  constructor(options: NftOptions) {
    this.#ipv6Prefix = options.ipv6Prefix;
    this.#connections = options.connections ?? (() => null);
    this.#local = options.local ?? (() => []);
    this.#proxied = options.proxied ?? (() => null);
    this.#shape = { ipv6Length: options.ipv6Prefix(), connections: null, local: [], proxied: null };
    this.#path = options.path ?? TOOL_PATH;
    this.#session = new NftSession(this.#path);
    this.#cutter = new SocketCutter(this.#path);
  }

  async reset(bans: Iterable<FirewallBan>, allow: readonly Prefix[], now: Millis): Promise<ResetOutcome> {
    const whole: TableShape = {
      ipv6Length: this.#ipv6Prefix(),
      connections: this.#connections(),
      local: this.#local(),
      proxied: this.#proxied(),
    };
    const make = async (shape: TableShape): Promise<Outcome> => {
      const { fillings, networks } = planReset(bans, now, whole.ipv6Length);
      const outcome = outcomeOf(await this.#nft(["-f", "-"], nftReset(fillings, allow, shape)));
      if (!outcome.ok) return outcome;
      this.#networks = networks;
      this.#shape = shape;
      return outcome;
    };
    const made = await make(whole);
    if (made.ok || whole.connections === null) return made;
    // A kernel without nft_connlimit refuses the whole table. Then only the guard enforces the limit, while it runs.
    const withoutFallback = await make({ ...whole, connections: { ...whole.connections, fallback: false } });
    return withoutFallback.ok ? { ok: true, uncounted: made.reason } : made;
  }

  async apply(steps: readonly BanStep[], now: Millis): Promise<Outcome> {
    const { changes, networks } = planSteps(this.#networks, steps, now, this.#shape.ipv6Length);
    const line = nftApply(changes);
    const outcome = line === "" ? DONE : await this.#carryOut(line);
    if (outcome.ok) this.#networks = networks;
    return outcome;
  }

  async holds(prefixes: readonly Prefix[]): Promise<Outcome> {
    const asked = nftHeldProbe(prefixes, this.#shape.ipv6Length);
    if (asked.length === 0) return DONE;
    const held = countHeld((await this.#nft(["-c", "-f", "-"], asked.join(""))).stderr);
    return held === asked.length
      ? DONE
      : { ok: false, reason: `The kernel holds ${held} of ${plural(asked.length, "ban")}.` };
  }

  cut(prefixes: readonly Prefix[]): Promise<Outcome> {
    return this.#cutter.cut(prefixes);
  }

  async check(): Promise<Outcome> {
    const ran = await this.#nft(["-c", "-f", "-"], nftProbe(this.#shape));
    if (isWhole(ran.stderr, this.#shape)) return DONE;
    const failed = outcomeOf(ran);
    return { ok: false, reason: missingPart(failed) };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** What the kernel holds, as nft prints it. For diagnosis; cut at one megabyte. */
  async listing(): Promise<string> {
    const ran = await this.#nft(["-f", "-"], NFT_LIST);
    return ran.stdout;
  }

  /** Removes the table with all bans. */
  async remove(): Promise<Outcome> {
    return outcomeOf(await this.#nft(["-f", "-"], nftRemove()));
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

function outcomeOf(ran: Finished): Outcome {
  return ran.code === 0 ? DONE : { ok: false, reason: reasonOf(ran.stderr) };
}

function missingPart(failed: Outcome): string {
  const known = failed.ok ? "" : failed.reason;
  return known.startsWith("nft ") || known === ""
    ? "The firewall's table was changed or removed by someone else."
    : known;
}

/** nft quotes the whole command below its error; the first line has the cause. */
function reasonOf(errors: string): string {
  if (errors.includes("Operation not permitted"))
    return "The guard lacks CAP_NET_ADMIN, so it cannot steer the firewall.";
  if (isMissing(errors)) return "The program `nft` is not installed (Debian package nftables).";
  const line = errors.split("\n").find((text) => text.includes("Error:")) ?? errors.split("\n", 1)[0] ?? "";
  return `nft failed: ${line.replace(/^.*Error: /, "").trim() || "it was stopped"}.`;
}
