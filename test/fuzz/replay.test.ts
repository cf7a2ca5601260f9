import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Decision } from "../../src/core/decide/decision.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import { instant, later } from "../../src/core/time.ts";
import { differenceOf } from "../../src/jobs/replay/comparison.ts";
import { ip as address, MAIL, net, RECIPIENT } from "../kit/samples.ts";
import { realEngine } from "../scenarios/real-engine.ts";
import { START } from "../scenarios/scenario.ts";
import { clients, ip, mixed } from "./clients.ts";
import { OWN, SMALL_POLICY } from "./small-policy.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_120);

test("a replay of the same policy makes the same decisions, despite restarts", async () => {
  let [bans, spared, asked] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(clients, async (all) => {
      using engine = realEngine(SMALL_POLICY, OWN);
      let now = START;
      for (const { step, afterMs } of mixed(all)) {
        now = instant(now + afterMs);
        if (step === "restart") engine.restart();
        else if ("administrator" in step) engine.administratorAt(step.administrator, now);
        else await engine.decide(step, now);
      }
      for (const one of engine.replay(SMALL_POLICY)) {
        assert.equal(differenceOf(one), null, JSON.stringify(one));
        assert.ok(one.decision !== null, JSON.stringify(one));
        bans += one.bans.length;
        spared += one.spared.length;
        if (one.step.type === "asked") asked++;
      }
    }),
    { numRuns: 40, seed: SEED, endOnFailure: true },
  );
  assert.ok(bans > 50 && spared > 2 && asked > 100, `wild enough: ${bans} bans, ${spared} spared, ${asked} asked`);
});

test("a replay refuses a right password again after four networks' unanswered tries", async () => {
  const policy = { ...SMALL_POLICY, accounts: { ...SMALL_POLICY.accounts, candidates: 1 } };
  using engine = realEngine(policy, OWN);
  let now = START;
  const signIn = (type: "LOGIN_ASKED" | "LOGIN_FAILED" | "LOGIN_SUCCEEDED", from: string, passwordHash: string) => {
    now = later(now, 10);
    const login = "anna@example.test";
    return engine.decide({ type, ip: address(from), service: "imap", login, passwordHash }, now);
  };
  await signIn("LOGIN_SUCCEEDED", "198.51.100.7", "right");
  await signIn("LOGIN_FAILED", "192.0.2.7", "right");
  now = later(now, 5_000);
  for (const n of [1, 2, 3, 4]) await signIn("LOGIN_ASKED", `198.18.${n}.1`, `w${n}`);
  const { reason } = await signIn("LOGIN_ASKED", "198.18.5.1", "right");
  assert.equal(reason, "right_password_guarded");
  for (const one of engine.replay(policy)) assert.equal(differenceOf(one), null, JSON.stringify(one));
});

test("a replay sees a pending password as the guard did after an earlier unanswered one", async () => {
  using engine = realEngine(SMALL_POLICY, OWN);
  let now = START;
  const signIn = (type: "LOGIN_ASKED" | "LOGIN_FAILED", from: string, passwordHash: string) => {
    now = later(now, 5);
    return engine.decide({ type, ip: address(from), service: "imap", login: "bert@example.test", passwordHash }, now);
  };
  await signIn("LOGIN_FAILED", "192.0.2.7", "1");
  await signIn("LOGIN_FAILED", "192.0.2.7", "2");
  await signIn("LOGIN_ASKED", "198.51.100.10", "unanswered");
  await signIn("LOGIN_ASKED", "192.0.2.7", "3");
  assert.equal((await signIn("LOGIN_ASKED", "192.0.2.7", "4")).reason, "pending_guesses");
  await signIn("LOGIN_FAILED", "192.0.2.7", "3");
  for (const one of engine.replay(SMALL_POLICY)) assert.equal(differenceOf(one), null, JSON.stringify(one));
});

test("a replay knows no administrator before the guard did", async () => {
  using engine = realEngine(SMALL_POLICY, OWN);
  const from = address("192.0.2.7");
  const about = { ip: from, service: "imap", login: "anna@example.test" } as const;
  let now = START;
  await engine.decide({ type: "LOGIN_FAILED", ...about, ip: address("198.18.1.1"), passwordHash: "1" }, now);
  await engine.decide({ type: "LOGIN_ASKED", ...about, passwordHash: "slow" }, now);
  for (const passwordHash of ["1", "2", "3"])
    await engine.decide({ type: "LOGIN_FAILED", ...about, passwordHash }, (now = later(now, 5)));
  engine.administratorAt(from, now);
  await engine.decide({ type: "LOGIN_FAILED", ...about, passwordHash: "slow" }, (now = later(now, 5)));
  const replayed = engine.replay(SMALL_POLICY);
  for (const one of replayed) assert.equal(differenceOf(one), null, JSON.stringify(one));
  assert.deepEqual(
    replayed.map(({ bans }) => bans.length),
    [0, 0, 0, 0, 1, 0],
  );
});

test("a replay with another policy decides each event as a guard with that policy would", async () => {
  const others: readonly Policy[] = [
    { ...SMALL_POLICY, mail: [{ key: "limits.mail.per_minute", count: 1, windowMs: 1_000 }] },
    { ...SMALL_POLICY, connections: [], bans: { ...SMALL_POLICY.bans, ladderMs: [5_000], neighbours: 1_000 } },
    { ...SMALL_POLICY, allow: [net("198.51.100.8")], knownFactor: 1, perSession: 100, blockLists: [] },
  ];
  let differing = 0;
  // Each leaves an event whatever is decided, and none depends on an earlier outcome in its connection.
  const mail = { ...MAIL, helo: "h", recipient: null, recipientCount: 2, queueId: "" };
  const independent = fc.oneof(
    ip.map((from) => ({ type: "CONNECT" as const, ip: from, session: "", clientName: null, service: "smtp" as const })),
    fc
      .record({ ip, account: fc.constantFrom(null, null, "anna@example.test"), transaction: fc.uuid() })
      .map((known) => ({ type: "DATA" as const, ...mail, ...known })),
    ip.map((from) => ({ ...RECIPIENT, ...mail, ip: from, blockListing: { zone: "bl.test", meaning: "listed" } })),
  );
  const steps = fc.array(fc.record({ afterMs: fc.constantFrom(0, 1, 20, 50, 200), event: independent }), {
    minLength: 80,
    maxLength: 120,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(...others), async (all, other) => {
      using then = realEngine(SMALL_POLICY, OWN);
      using now = realEngine(other, OWN);
      const decided: Decision[] = [];
      let at = START;
      for (const [i, { afterMs, event: happened }] of all.entries()) {
        at = instant(at + afterMs);
        const event = { ...happened, session: `${i}` };
        await then.decide(event, at);
        // A guard asks only the lists of its policy.
        const isUnlisted = event.type === "RECIPIENT" && other.blockLists.length === 0;
        decided.push(await now.decide(isUnlisted ? { ...event, blockListing: null } : event, at));
      }
      const replayed = then.replay(other);
      for (const [i, { decision }] of replayed.entries())
        assert.deepEqual(
          [decision?.verdict, decision?.reason],
          [decided[i]?.verdict, decided[i]?.reason],
          `event ${i}: ${JSON.stringify(all[i])}`,
        );
      differing += replayed.filter((one) => differenceOf(one) !== null).length;
    }),
    { numRuns: 20, seed: SEED, endOnFailure: true },
  );
  assert.ok(differing > 100, `a comparison that finds nothing proves nothing: ${differing}`);
});
