import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressAnswer } from "../../../src/admin/declare/items.ts";
import * as texts from "../../texts/english-admin.ts";
import { effectsOf } from "./ban-commands.ts";

const { bans: words } = texts;

const effects = (ip: string, known: Readonly<Record<string, unknown>> = {}): readonly string[] => {
  const totals = { knownAccounts: 2, pastBans: 0 };
  const nothing = { protection: null, protectionUnknown: false, knownAccounts: [], totals, ban: null };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields by which effects are distinguished
  return effectsOf(ip, { ...nothing, ...known } as unknown as AddressAnswer, words);
};

test("an address of which nothing is known may be banned", () => {
  for (const ip of ["203.0.113.7", "203.0.113.7/32"]) assert.deepEqual(effects(ip), [words.nothing]);
  assert.deepEqual(effects("2001:db8::1"), [words.nothing, words.widened]);
});

test("so may a network from no part of which an account signs in, and from no other one", () => {
  for (const network of ["203.0.113.0/24", "2001:db8::/48"]) {
    assert.deepEqual(effects(network), [words.nothing]);
    assert.deepEqual(effects(network, { knownAccounts: ["anna", "bert"] }), [words.accounts("anna, bert")]);
  }
});

test("nothing is called harmless where something is known, or the guard did not answer", () => {
  assert.deepEqual(effects("203.0.113.7", { protectionUnknown: true }), [words.unknown]);
  assert.deepEqual(effects("203.0.113.7", { protection: "listed" }), [words.protected("listed")]);
  assert.deepEqual(effects("203.0.113.7", { knownAccounts: ["anna", "bert"] }), [words.accounts("anna, bert")]);
  const [many] = effects("203.0.113.7", { knownAccounts: ["anna", "bert"], totals: { knownAccounts: 52 } });
  assert.equal(many, words.accounts("anna, bert, and 50 more"));
});

test("a ban in force is replaced; that of a network around it stays", () => {
  assert.deepEqual(effects("203.0.113.7", { ban: { prefix: "203.0.113.7/32" } }), [words.already]);
  assert.deepEqual(effects("203.0.113.7", { ban: { prefix: "203.0.113.0/24" } }), [
    words.alreadyWith("203.0.113.0/24"),
  ]);
  assert.deepEqual(effects("2001:db8::1", { ban: { prefix: "2001:db8::/64" } }), [words.already, words.widened]);
});
