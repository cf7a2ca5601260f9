import assert from "node:assert/strict";
import { test } from "node:test";
import { NoticeBoard, SILENT } from "../../../test/kit/engine-kit.ts";
import type { Passed } from "../../core/firewall/blocked-ports.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { createBlockedPortsWatch } from "./blocked-ports.ts";

test("a blocked port is reported and recorded once, and its end too", async () => {
  const notices = new NoticeBoard();
  const recorded: string[] = [];
  const counters = new Map<number, Passed>();
  let isReadable = true;
  const ports = createBlockedPortsWatch({
    passed: () => (isReadable ? Promise.resolve(new Map(counters)) : Promise.reject(new Error("nft is gone"))),
    audit: ({ type, subject }) => recorded.push(type === "PORTS_BLOCKED" ? subject : assert.fail(type)),
    notices,
    log: SILENT,
  });
  let now = 0;
  const look = async (offered25: number, arrived25: number): Promise<string | undefined> => {
    counters.set(25, { offered: offered25, arrived: arrived25 }).set(993, { offered: 8, arrived: 8 });
    await ports.look((now += 8_000));
    return notices.raised.get("ports_blocked");
  };
  assert.equal(await look(0, 0), undefined);
  assert.equal(await look(10, 0), undefined);
  assert.equal(await look(12, 0), "Nothing arrives at port 25 (22 packets in a row). Try: nft list ruleset");
  assert.match((await look(1, 0)) ?? "", /\(23 packets/);
  assert.equal(await look(1, 1), undefined);
  assert.deepEqual(recorded, ["Port 25: none of 22 packets arrived", "Port 25: connections arrive again"]);

  await look(16, 0);
  assert.notEqual(await look(20, 0), undefined);
  isReadable = false;
  assert.notEqual(await look(0, 0), undefined, "unreadable counters do not mean that the port is open");
  isReadable = true;
  for (let quietMs = 0; quietMs < 5 * MINUTE_MS; quietMs += 8_000) await look(0, 0);
  assert.equal(notices.raised.get("ports_blocked"), undefined);
  assert.equal(recorded.at(-1), "Port 25: no attempt for some minutes");
});

test("unreadable counters do not mean that a port is blocked", async () => {
  const warned: string[] = [];
  let calls = 0;
  const ports = createBlockedPortsWatch({
    passed: () => Promise.reject(new Error(`nft is gone ${((calls += 1)) > 2 ? "again" : ""}`)),
    audit: () => assert.fail(),
    notices: new NoticeBoard(),
    log: { ...SILENT, warn: (message) => warned.push(message) },
  });
  await Promise.all([ports.look(8_000), ports.look(16_000)]);
  assert.equal(calls, 1, "one check at a time");
  await ports.look(15_999);
  await ports.look(16_000);
  assert.deepEqual([calls, warned.length], [2, 1], "the same failure is logged once");
  await ports.look(24_000);
  assert.equal(warned.length, 2);
});
