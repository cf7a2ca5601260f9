import assert from "node:assert/strict";
import type { Audit } from "../../src/core/events/command.ts";
import type { Prefix } from "../../src/core/net/ip.ts";
import { BanEnforcer, type Enforcer } from "../../src/guard/enforce/enforce.ts";
import { HandClock, NoticeBoard } from "./engine-kit.ts";
import { FakeFirewall, MemoryBanLog } from "./fake-firewall.ts";
import { afterEachOf, beforeEachOf } from "./hooks.ts";
import { net } from "./samples.ts";

/** An enforcer with its own firewall and ban table; a new one for each test of `file`. */
export type EnforcerKit = {
  firewall: FakeFirewall;
  banLog: MemoryBanLog;
  clock: HandClock;
  notices: NoticeBoard;
  warned: (readonly unknown[])[];
  audits: Audit[];
  enforcer: Enforcer;
};

export function enforcerKit(file: string): EnforcerKit {
  const kit = fresh();
  beforeEachOf(file, () => void Object.assign(kit, fresh()));
  afterEachOf(file, () => kit.enforcer.stop());
  return kit;
}

function fresh(): EnforcerKit {
  const parts = { firewall: new FakeFirewall(), banLog: new MemoryBanLog() };
  const [clock, notices, warned]: [HandClock, NoticeBoard, (readonly unknown[])[]] = [
    new HandClock(),
    new NoticeBoard(),
    [],
  ];
  const log = { info: assert.fail, warn: (...what: readonly unknown[]) => void warned.push(what), error: assert.fail };
  const audits: Audit[] = [];
  const audit = (one: Audit): void => void audits.push(one);
  const enforcer = new BanEnforcer({ ...parts, allowList: () => [], audit, clock, notices, log });
  return { ...parts, clock, notices, warned, audits, enforcer };
}

/** `count` bans of different addresses are committed, and the enforcer is notified. */
export function ban({ banLog, enforcer }: EnforcerKit, count: number, from = 0): void {
  for (let i = 0; i < count; i++) banLog.add(address(from + i));
  enforcer.nudge();
}

export function address(n: number): Prefix {
  return net(`10.0.${n >> 8}.${n & 255}`);
}

export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}
