import assert from "node:assert/strict";
import type { Audit } from "../../src/core/events/command.ts";
import type { FirewallBan } from "../../src/core/firewall/plan-firewall.ts";
import type { Prefix } from "../../src/core/net/ip.ts";
import type { Millis } from "../../src/core/time.ts";
import { BanEnforcer, ENFORCE } from "../../src/guard/enforce/enforce.ts";
import type { BanStep, CheckDepth, Firewall } from "../../src/guard/network-ports.ts";
import type { Outcome } from "../../src/guard/ports.ts";
import { HandClock, NoticeBoard } from "./engine-kit.ts";
import { afterEachOf, beforeEachOf } from "./hooks.ts";
import { net } from "./samples.ts";

export function enforcerKit(file: string) {
  const kit = newEnforcer();
  beforeEachOf(file, () => void Object.assign(kit, newEnforcer()));
  afterEachOf(file, () => kit.enforcer.stop());
  return kit;
}

/** An enforcer with its own firewall and ban table. `allow`: networks that always pass. */
export function newEnforcer(hasProxies = false) {
  const parts = { firewall: fakeFirewall(), banLog: memoryBanLog() };
  const clock = new HandClock();
  const notices = new NoticeBoard();
  const warned: (readonly unknown[])[] = [];
  const log = { info: assert.fail, warn: (...what: readonly unknown[]) => void warned.push(what), error: assert.fail };
  const audits: Audit[] = [];
  const allow: Prefix[] = [];
  const audit = (one: Audit): void => void audits.push(one);
  const enforcer = new BanEnforcer({ ...parts, allowList: () => [...allow], hasProxies, audit, clock, notices, log });
  return { ...parts, clock, notices, warned, audits, allow, enforcer };
}

/** Commits `count` bans of different addresses and notifies the enforcer. */
export function ban({ banLog, enforcer }: ReturnType<typeof newEnforcer>, count: number, from = 0): void {
  for (let i = 0; i < count; i++) banLog.add(address(from + i));
  enforcer.nudge();
}

export const address = (n: number): Prefix => net(`10.0.${n >> 8}.${n & 255}`);

const DONE: Outcome = { ok: true };
const BROKEN: Outcome = { ok: false, reason: "nft failed." };

/** Holds a kernel's state, and throws when two changes overlap. */
function fakeFirewall() {
  const state = {
    held: new Map<Prefix, Millis | null>(),
    allow: [] as readonly Prefix[],
    cuts: [] as Prefix[],
    /** The number of sessions cut by each call, and the requested bans. */
    cutSizes: [] as number[],
    readBack: [] as (readonly Prefix[])[],
    /** The result of cutting from now on. */
    cutting: (): Promise<Outcome> => Promise.resolve(DONE),
    calls: [] as string[],
    /** Results of the next calls; afterwards all succeed. */
    failing: [] as ("reset" | "apply" | "check" | "unchecked" | "throw")[],
    /** Bans that it forgets right after getting them. */
    losing: [] as Prefix[],
    /** The depth of each check. */
    depths: [] as CheckDepth[],
    /** Why this kernel cannot count connections. */
    uncounted: null as string | null,
  };
  let isBusy = false;
  const change = async (call: "reset" | "apply" | "check"): Promise<Outcome> => {
    assert.ok(!isBusy, "one change at a time");
    state.calls.push(call);
    const fails = state.failing[0] === call || state.failing[0] === "throw";
    if (fails && state.failing.shift() === "throw") throw new Error("the pipe broke");
    isBusy = true;
    await new Promise((resolve) => setImmediate(resolve));
    isBusy = false;
    return fails ? BROKEN : DONE;
  };
  const firewall: Firewall = {
    reset: async (bans, allow) => {
      const outcome = await change("reset");
      if (!outcome.ok) return outcome;
      state.held = new Map(Array.from(bans, ({ prefix, expiresAt }) => [prefix, expiresAt]));
      state.allow = allow;
      return state.uncounted === null ? outcome : { ok: true, uncounted: state.uncounted };
    },
    apply: async (steps) => {
      assert.ok(steps.length > 0 && steps.length <= ENFORCE.stepsPerBatch);
      const outcome = await change("apply");
      if (!outcome.ok) return outcome;
      for (const step of steps)
        if (step.type === "add" && !state.losing.includes(step.prefix)) state.held.set(step.prefix, step.expiresAt);
        else state.held.delete(step.prefix);
      return outcome;
    },
    holds: async (prefixes) => {
      state.readBack.push(prefixes);
      return prefixes.every((prefix) => state.held.has(prefix)) ? DONE : BROKEN;
    },
    cut: (prefixes) => {
      state.calls.push("cut");
      state.cuts.push(...prefixes);
      state.cutSizes.push(prefixes.length);
      return state.cutting();
    },
    check: async (depth) => {
      state.depths.push(depth);
      if (state.failing[0] === "unchecked") return state.failing.shift() === undefined ? DONE : BROKEN;
      const checked = await change("check");
      return checked.ok ? checked : { ...checked, isLost: true };
    },
    close: async () => undefined,
  };
  return Object.assign(state, firewall);
}

/** The ban table in memory: the last step on a prefix counts. */
function memoryBanLog() {
  const steps: BanStep[] = [];
  return {
    add: (prefix: Prefix, expiresAt: Millis | null = null) =>
      steps.push({ id: steps.length + 1, type: "add", prefix, expiresAt }),
    delete: (prefix: Prefix) => steps.push({ id: steps.length + 1, type: "delete", prefix }),
    last: () => steps.length,
    after: (id: number, most: number): readonly BanStep[] => steps.slice(id, id + most),
    active: (): readonly FirewallBan[] => {
      const held = new Map<Prefix, FirewallBan>();
      for (const step of steps)
        if (step.type === "add") held.set(step.prefix, { prefix: step.prefix, expiresAt: step.expiresAt });
        else held.delete(step.prefix);
      return [...held.values()];
    },
    expired: () => assert.fail("the enforcer ends no bans"),
  };
}
