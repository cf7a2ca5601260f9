// Invariant: Nothing protected is ever banned: this machine, its gateway, the allow list.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyFacts, anyLogin, anyMail, bansOf, policies, protections, services } from "../../../test/kit/any-facts.ts";
import { BAN, DATA, factsOf, LOGIN, MESSAGE, NOON, RECIPIENT, STRANGER, UNSPARED } from "../../../test/kit/samples.ts";
import type { LoginAttributes } from "../events/login.ts";
import type { MailAttributes } from "../events/mail.ts";
import { decideCommand } from "./command.ts";
import { decide, decideConnect } from "./decide.ts";
import type { Facts } from "./facts.ts";
import { decideData, decideEndOfMessage, decideRecipient } from "./mail.ts";
import type { Policy } from "./policy.ts";

test("whatever is protected is never banned nor turned away as a stranger, by any decision", () => {
  const scenes = fc.tuple(policies, anyFacts, protections, anyMail, anyLogin);
  fc.assert(
    fc.property(scenes, ([policy, known, protection, mail, login]) => {
      for (const decided of everyDecision(policy, factsOf({ ...known, protection }), mail, login)) {
        assert.deepEqual(bansOf(decided), []);
        // Only loopback and the allow list may guess forever.
        const isGuessing = decided.reason === "slow_guessing" && ["own_address", "gateway"].includes(protection);
        assert.ok(decided.verdict !== "refuse" || isGuessing, decided.reason);
      }
      const asked = { type: "BAN_ASKED", prefix: BAN.prefix, note: "", durationMs: null, by: "root" } as const;
      const facts = { sparing: () => ({ ...UNSPARED, protection }), ban: known.ban, listed: null, covered: [] };
      assert.deepEqual(bansOf(decideCommand(facts, asked, NOON)), []);
    }),
  );
});

test("no decision bans more than once, bans what is banned, or passes what it bans", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, anyLogin, (policy, known, mail, login) => {
      for (const decided of everyDecision(policy, factsOf(known), mail, login)) {
        const bans = bansOf(decided);
        assert.ok(bans.length <= (known.ban === null ? 1 : 0));
        if (bans.length > 0) assert.equal(decided.verdict, "refuse");
        for (const ban of bans) assert.equal(ban.offences, known.offences + 1);
      }
    }),
  );
});

test("an account is never banned for volume, nor a provider", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, services, (policy, known, mail, service) => {
      const facts = factsOf(known);
      const byAccount = { ...DATA, ...mail, account: "user@example.org" };
      assert.deepEqual(bansOf(decideData(policy, facts, byAccount, NOON)), []);
      const byProvider = { ...byAccount, account: null, clientName: "mail.google.com" };
      assert.deepEqual(bansOf(decideData(policy, facts, byProvider, NOON)), []);
      const connect = { type: "CONNECT", ip: STRANGER, service, session: "", clientName: "mail.google.com" } as const;
      assert.deepEqual(bansOf(decideConnect(policy, facts, connect, NOON)), []);
    }),
  );
});

test("an address that three accounts know is never banned, except for guessing", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, (policy, known, mail) => {
      const knownAccounts = ["a@x.test", "b@x.test", "c@x.test"];
      const facts = factsOf({ ...known, probes: known.mails, recipient: "unknown", known: true, knownAccounts });
      for (const decided of everyDecision(policy, facts, mail, {}).slice(0, 4)) assert.deepEqual(bansOf(decided), []);
    }),
  );
});

function everyDecision(policy: Policy, facts: Facts, mail: Partial<MailAttributes>, login: Partial<LoginAttributes>) {
  const logIn: LoginAttributes = { ...LOGIN, passwordHash: "", ...login };
  const { service, session, clientName } = { ...DATA, ...mail };
  const connect = { type: "CONNECT", ip: STRANGER, service, session, clientName } as const;
  return [
    decideConnect(policy, facts, connect, NOON),
    decideRecipient(policy, facts, { ...RECIPIENT, ...mail }, NOON),
    decideData(policy, facts, { ...DATA, ...mail }, NOON),
    decideEndOfMessage(policy, facts, { ...MESSAGE, ...mail }, NOON),
    decide(policy, facts, { type: "LOGIN_ASKED", ...logIn }, NOON),
    decide(policy, facts, { type: "LOGIN_SUCCEEDED", ...logIn }, NOON),
    decide(policy, facts, { type: "LOGIN_FAILED", ...logIn }, NOON),
  ];
}
