import assert from "node:assert/strict";
import type { Audit } from "../../src/core/events/command.ts";
import type { Prefix } from "../../src/core/net/ip.ts";
import { BanEnforcer, type Enforcer } from "../../src/guard/enforce/enforce.ts";
import { HandClock, NoticeBoard } from "./engine-kit.ts";
import { FakeFirewall, MemoryBanLog } from "./fake-firewall.ts";
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
  const enforcer: Enforcer = new BanEnforcer({ ...parts, allowList: () => [...allow], audit, clock, notices, log });
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
