import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { networkAddress } from "../../src/core/net/ip.ts";
import { later } from "../../src/core/time.ts";
import { BanEnforcer } from "../../src/guard/enforce/enforce.ts";
import type { Store } from "../../src/guard/storage-ports.ts";
import { sqliteBanLog } from "../../src/store/engine-db/ban-log.ts";
import { engineOnMemory, NoticeBoard } from "../kit/engine-kit.ts";
import { patience } from "../kit/patience.ts";
import { net } from "../kit/samples.ts";
import type { FirewallLab } from "./firewall-kit.ts";
import { until } from "./wait.ts";

export function enforceTests(kitOf: () => FirewallLab): void {
  let kit: FirewallLab;
  let store: Store;
  let notices: NoticeBoard;
  let enforcer: BanEnforcer;

  beforeEach(() => {
    kit = kitOf();
    const { db, sqlite } = engineOnMemory();
    store = sqlite;
    notices = new NoticeBoard();
    const nothing = (): void => {};
    enforcer = new BanEnforcer({
      audit: () => undefined,
      banLog: sqliteBanLog(db),
      firewall: kit.firewall,
      allowList: () => [],
      hasProxies: false,
      clock: kit,
      notices,
      log: { info: nothing, warn: nothing, error: nothing },
    });
  });

  afterEach(() => enforcer.stop());

  function ban(text: string): void {
    const network = net(text);
    const about = { prefix: network, ip: networkAddress(network), level: "light", code: "mail_limit" } as const;
    const times = { createdAt: kit.now(), expiresAt: later(kit.now(), 3_600_000) };
    store.begin();
    store.apply({ type: "BAN", ban: { ...about, ...times, reason: "", source: "engine", offences: 1 } }, kit.now());
    store.commit();
  }

  test("bans from before the start hold; new ones take effect a moment later; their sessions end", async (t) => {
    ban("198.51.100.200");
    const session = await kit.open("198.51.100.201");
    await enforcer.start();
    await kit.banned("198.51.100.200");
    const closed = once(session, "close");
    ban("198.51.100.201");
    enforcer.nudge();
    await closed;
    await kit.banned("198.51.100.201");
    const applied: number[] = [];
    for (let i = 0; i < 300; i++) applied.push(await timeToKernel(`10.9.${i >> 8}.${i & 255}`));
    applied.sort((a, b) => a - b);
    const [p50 = Infinity, p99 = Infinity] = [applied[150], applied[296]];
    t.diagnostic(`from nudge to kernel: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
    assert.ok(p50 < patience(20), `${p50} ms`);
  });

  async function timeToKernel(text: string): Promise<number> {
    ban(text);
    const step = enforcer.status().lastStep + 1;
    const from = performance.now();
    enforcer.nudge();
    while (enforcer.status().lastStep < step) await new Promise((resolve) => setImmediate(resolve));
    return performance.now() - from;
  }

  test("a flushed ruleset and a killed nft are fixed, and there is a notice when they cannot be", async () => {
    ban("198.51.100.203");
    await enforcer.start();
    await kit.lab.server.mustExec(["nft", "flush ruleset"]);
    await kit.passes("198.51.100.203");
    await enforcer.verify();
    await kit.banned("198.51.100.203");

    await kit.lab.server.mustExec(["nft", "flush ruleset"]);
    ban("198.51.100.204");
    enforcer.nudge();
    for (const ip of ["198.51.100.203", "198.51.100.204"])
      await until("the reset after a failed step", async () => !(await kit.reaches(ip)));

    process.kill(Number(await kit.pidsOfNft()), "SIGKILL");
    ban("198.51.100.205");
    enforcer.nudge();
    await until("the ban after nft was killed", async () => !(await kit.reaches("198.51.100.205")));
    await until("all is well again", () => enforcer.status().state === "enforcing");
    assert.deepEqual([...notices.raised.keys()], ["firewall_lost"], "reported for a while");
  });
}
