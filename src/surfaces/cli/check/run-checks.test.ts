import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedServer } from "../../../../test/kit/checked-server.ts";
import { type CheckRecord, NO_CHECKS } from "../../../jobs/check/check-record.ts";
import { ok, unknown, worstOf, wrong } from "./check.ts";
import { type Result, runChecks, runDaily } from "./run-checks.ts";

test("a check that throws or hangs is unknown and does not stop the others; databases come last", async () => {
  const order: string[] = [];
  const looked = (name: string) => () => {
    order.push(name);
    return ok(`${name}\u001b[1m s3://key:secret@host/b`);
  };
  const database = { name: "database", checks: { engine: { does: "x", look: looked("engine") } } };
  const throws = { does: "x", look: () => assert.fail("broken") };
  const hangs = { does: "x", look: () => new Promise<never>(() => undefined) };
  const works = { does: "x", look: looked("works") };
  const results = await runChecks([database, { name: "g", checks: { throws, hangs, works } }], checkedServer(), 20);
  const states = results.map(({ id, state }) => `${id} ${state}`);
  assert.deepEqual(states, ["database.engine ok", "g.throws unknown", "g.hangs unknown", "g.works ok"]);
  assert.match(results[2]?.evidence ?? "", /did not finish within 0\.02 s/);
  assert.equal(results[3]?.evidence, "works\\x1b[1m s3://…@host/b");
  assert.deepEqual(order, ["works", "engine"]);
});

test("the worst of several findings counts, together with all that are equally bad", () => {
  const found = worstOf([ok("a"), wrong("b.", "fix b"), unknown("c"), wrong("d", "fix d"), wrong("d", "")]);
  assert.deepEqual(found, { state: "wrong", saw: "b. d.", fix: "fix b" });
  assert.deepEqual(worstOf([], "none"), ok("none"));
});

const PASSED = { state: "ok", evidence: "fine", passedAt: 1 } as const;
const BEFORE: CheckRecord = { ...NO_CHECKS, since: 1, at: 1, checks: { "tls.days": PASSED, "dns.mx": PASSED } };

function result(id: string, state: Result["state"]): Result {
  return { id, group: id.split(".", 1)[0] ?? "", state, did: "x", evidence: state, mend: null, tookMs: 1 };
}

function daily(looks: readonly (readonly Result[])[], after = BEFORE) {
  const asked: (readonly string[])[] = [];
  let pauses = 0;
  const run = runDaily(["tls", "dns"], {
    kept: () => (asked.length === 0 ? BEFORE : after),
    look: (groups) => {
      asked.push(groups);
      return Promise.resolve(looks[asked.length - 1] ?? assert.fail("one look too many"));
    },
    pause: () => Promise.resolve((pauses += 1)),
    now: () => 9,
  });
  return run.then((record) => ({ record, asked, pauses }));
}

test("failed checks run once more, and only a second failure counts", async () => {
  const bad = [result("tls.days", "wrong"), result("dns.mx", "wrong")];
  const { record, asked, pauses } = await daily([bad, [result("tls.days", "wrong"), result("dns.mx", "ok")]]);
  assert.deepEqual([asked.map(String), pauses, record.at], [["tls,dns", "tls,dns"], 1, 9]);
  assert.deepEqual(record.checks["tls.days"], { state: "wrong", evidence: "wrong", passedAt: 1 });
  assert.deepEqual(record.checks["dns.mx"], { state: "ok", evidence: "ok", passedAt: 9 });
});

test("a second run without a result does not clear a new failure", async () => {
  const bad = [result("tls.days", "wrong"), result("dns.mx", "ok")];
  const { record } = await daily([bad, [result("tls.days", "unknown")]]);
  assert.deepEqual(record.checks["tls.days"], { state: "wrong", evidence: "wrong", passedAt: 1, unseenSince: 9 });
});

test("only groups with new failures run again; without new failures there is one run", async () => {
  const one = await daily([[result("tls.days", "ok"), result("dns.mx", "wrong")], [result("dns.mx", "wrong")]]);
  assert.deepEqual(one.asked[1], ["dns"]);
  const none = await daily([[result("tls.days", "ok"), result("dns.mx", "warning")]]);
  assert.deepEqual([none.asked.length, none.pauses], [1, 0]);
});

test("a fault that the owner fixes and checks during the run counts as passed", async () => {
  const bad = [result("tls.days", "wrong"), result("dns.mx", "wrong")];
  const fixed = { state: "ok", evidence: "fixed", passedAt: 8 } as const;
  const { record } = await daily([bad, bad], { ...BEFORE, checks: { ...BEFORE.checks, "dns.mx": fixed } });
  assert.deepEqual(record.checks["dns.mx"], fixed);
  assert.equal(record.checks["tls.days"]?.state, "wrong");
});
