import assert from "node:assert/strict";
import type { Audit } from "../../src/core/events/command.ts";
import type { Prefix } from "../../src/core/net/ip.ts";
import type { Millis } from "../../src/core/time.ts";
import { BanEnforcer, ENFORCE } from "../../src/guard/enforce/enforce.ts";
import type { BanStep, Firewall, FirewallBan, ResetOutcome } from "../../src/guard/network-ports.ts";
import type { Outcome } from "../../src/guard/ports.ts";
import type { BanLog } from "../../src/guard/storage-ports.ts";
import { HandClock, NoticeBoard } from "./engine-kit.ts";
import { afterEachOf, beforeEachOf } from "./hooks.ts";
import { net } from "./samples.ts";

/** A new enforcer for each test of `file`. */
export function enforcerKit(file: string) {
  const kit = newEnforcer();
  beforeEachOf(file, () => void Object.assign(kit, newEnforcer()));
  afterEachOf(file, () => kit.enforcer.stop());
  return kit;
}

/** An enforcer with its own firewall and ban table. `allow`: networks that always pass. */
export function newEnforcer() {
  const parts = { firewall: new FakeFirewall(), banLog: new MemoryBanLog() };
  const clock = new HandClock();
  const notices = new NoticeBoard();
  const warned: (readonly unknown[])[] = [];
  const log = { info: assert.fail, warn: (...what: readonly unknown[]) => void warned.push(what), error: assert.fail };
  const audits: Audit[] = [];
  const allow: Prefix[] = [];
  const audit = (one: Audit): void => void audits.push(one);
  const enforcer = new BanEnforcer({ ...parts, allowList: () => [...allow], audit, clock, notices, log });
  return { ...parts, clock, notices, warned, audits, allow, enforcer };
}

/** `count` bans of different addresses are committed, and the enforcer is notified. */
export function ban({ banLog, enforcer }: ReturnType<typeof newEnforcer>, count: number, from = 0): void {
  for (let i = 0; i < count; i++) banLog.add(address(from + i));
  enforcer.nudge();
}

export function address(n: number): Prefix {
  return net(`10.0.${n >> 8}.${n & 255}`);
}

const DONE: Outcome = { ok: true };
const BROKEN: Outcome = { ok: false, reason: "nft failed." };

/** Holds a kernel's state, and throws when two changes overlap. */
class FakeFirewall implements Firewall {
  readonly held = new Map<Prefix, Millis | null>();
  allow: readonly Prefix[] = [];
  readonly cuts: Prefix[] = [];
  /** The number of sessions cut by each call, and the requested bans. */
  readonly cutSizes: number[] = [];
  readonly readBack: (readonly Prefix[])[] = [];
  /** The result of cutting from now on. */
  cutting: () => Promise<Outcome> = () => Promise.resolve(DONE);
  readonly calls: string[] = [];
  /** Results of the next calls; afterwards all succeed. */
  readonly failing: ("reset" | "apply" | "check" | "throw")[] = [];
  /** Why this kernel cannot count connections. */
  uncounted: string | null = null;
  #busy = false;

  async reset(bans: Iterable<FirewallBan>, allow: readonly Prefix[]): Promise<ResetOutcome> {
    const outcome = await this.#change("reset");
    if (!outcome.ok) return outcome;
    this.held.clear();
    for (const { prefix, expiresAt } of bans) this.held.set(prefix, expiresAt);
    this.allow = allow;
    return this.uncounted === null ? outcome : { ok: true, uncounted: this.uncounted };
  }

  async apply(steps: readonly BanStep[]): Promise<Outcome> {
    assert.ok(steps.length > 0 && steps.length <= ENFORCE.stepsPerBatch);
    const outcome = await this.#change("apply");
    if (!outcome.ok) return outcome;
    for (const step of steps)
      if (step.type === "add" && !this.losing.includes(step.prefix)) this.held.set(step.prefix, step.expiresAt);
      else this.held.delete(step.prefix);
    return outcome;
  }

  /** A ban that it forgets right after getting it. */
  readonly losing: Prefix[] = [];

  async holds(prefixes: readonly Prefix[]): Promise<Outcome> {
    this.readBack.push(prefixes);
    return prefixes.every((prefix) => this.held.has(prefix)) ? DONE : BROKEN;
  }

  async cut(prefixes: readonly Prefix[]): Promise<Outcome> {
    this.calls.push("cut");
    this.cuts.push(...prefixes);
    this.cutSizes.push(prefixes.length);
    return this.cutting();
  }

  async check(): Promise<Outcome> {
    return this.#change("check");
  }

  async close(): Promise<void> {}

  async #change(call: "reset" | "apply" | "check"): Promise<Outcome> {
    assert.ok(!this.#busy, "one change at a time");
    this.calls.push(call);
    const fails = this.failing[0] === call || this.failing[0] === "throw";
    const how = fails ? this.failing.shift() : undefined;
    if (how === "throw") throw new Error("the pipe broke");
    this.#busy = true;
    await new Promise((resolve) => setImmediate(resolve));
    this.#busy = false;
    return fails ? BROKEN : DONE;
  }
}

/** The ban table in memory: the last step on a prefix counts. */
class MemoryBanLog implements BanLog {
  readonly #steps: BanStep[] = [];
  add(prefix: Prefix, expiresAt: Millis | null = null): void {
    this.#steps.push({ id: this.#steps.length + 1, type: "add", prefix, expiresAt });
  }
  delete(prefix: Prefix): void {
    this.#steps.push({ id: this.#steps.length + 1, type: "delete", prefix });
  }
  last(): number {
    return this.#steps.length;
  }
  after(id: number, most: number): readonly BanStep[] {
    return this.#steps.slice(id, id + most);
  }
  active(): readonly FirewallBan[] {
    const held = new Map<Prefix, FirewallBan>();
    for (const step of this.#steps)
      if (step.type === "add") held.set(step.prefix, step);
      else held.delete(step.prefix);
    return [...held.values()].map(({ prefix, expiresAt }) => ({ prefix, expiresAt }));
  }
  expired(): readonly Prefix[] {
    throw new Error("the enforcer ends no bans");
  }
}
