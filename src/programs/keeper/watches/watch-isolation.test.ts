import assert from "node:assert/strict";
import { test } from "node:test";
import type { Isolation } from "../../../core/incident/incident.ts";
import { IsolationWatch } from "./watch-firewall.ts";

const ISOLATION: Isolation = {
  incident: "2026-11-20-x",
  since: "2026-11-20T08:00:00.000Z",
  allow: [],
  ssh: [22],
  shut: ["sign-in", "send"],
};

test("a removed table is restored, and the isolation is reported until it is lifted", async () => {
  let [isolation, isThere, fails, made]: [Isolation | null, boolean, boolean, number] = [null, false, false, 0];
  let [lifts, isolates, opened] = [false, false, 0];
  const watch = new IsolationWatch({
    wanted: () => isolation,
    isShut: () => {
      if (lifts) isolation = null;
      if (isolates) isolation = ISOLATION;
      return Promise.resolve(isThere);
    },
    shut: () => {
      made += 1;
      isThere = !fails;
      return Promise.resolve(fails ? { ok: false, reason: "nft failed" } : { ok: true });
    },
    open: () => {
      opened += 1;
      isThere = false;
      return Promise.resolve({ ok: true });
    },
  });
  await watch.look();
  assert.deepEqual([watch.troubles(), made], [[], 0]);
  isolation = ISOLATION;
  await watch.look();
  await watch.look();
  const reported = {
    code: "isolated",
    detail: "since 2026-11-20 08:00 UTC, for 2026-11-20-x; still closed: sign-in, send",
  };
  assert.deepEqual([watch.troubles(), made], [[reported], 1]);
  [isThere, fails] = [false, true];
  await watch.look();
  assert.deepEqual([watch.troubles(), made], [[reported, { code: "isolation_broken", detail: "nft failed" }], 2]);
  isolation = null;
  await watch.look();
  assert.deepEqual(watch.troubles(), []);
  [isolation, lifts] = [ISOLATION, true];
  await watch.look();
  assert.deepEqual([watch.troubles(), made], [[], 2], "an isolation lifted during the check is not restored");
  assert.equal(opened, 0);
  [lifts, isThere] = [false, true];
  await watch.look();
  assert.deepEqual([opened, isThere], [1, false], "a table without an isolation is removed");
  await watch.look();
  isThere = true;
  await watch.look();
  assert.deepEqual(
    [opened, isThere],
    [1, true],
    "once it is removed, no check searches for it until the next isolation",
  );
  [isolation, isThere] = [ISOLATION, true];
  await watch.look();
  [isolation, isolates] = [null, true];
  await watch.look();
  assert.deepEqual([opened, isThere], [1, true], "the table of an isolation that starts during the check stays");
});
