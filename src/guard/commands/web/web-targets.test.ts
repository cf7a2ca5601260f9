import assert from "node:assert/strict";
import { test } from "node:test";
import { TEST_POLICY } from "../../../../test/kit/engine-kit.ts";
import { accountName, mailAddress, NOON } from "../../../../test/kit/samples.ts";
import { refusesTargets, tooManyForwards } from "./web-targets.ts";

type Alias = Readonly<{ address: string; targets: readonly string[]; blocked: boolean }>;

const alias = (address: string, targets: readonly string[]): Alias => ({ address, targets, blocked: false });
const outside = (many: number, from = 0) => Array.from({ length: many }, (_, i) => `x${from + i}@else.test`);

/** How many new targets of aliases may still be added today. */
let left = 50;

function parts(there: readonly Alias[], forwarded: ReadonlyMap<string, readonly string[]> = new Map()) {
  return {
    accountLists: { aliases: () => ({ items: there, next: null, total: there.length }) },
    forwards: {
      targetsOf: (name: string) => forwarded.get(name) ?? [],
      targets: () => [...forwarded.values()].flat(),
      spendTargets: (_: string, added: number) => added <= left,
    },
    engine: { policy: TEST_POLICY },
    clock: { now: () => NOON },
  };
}

function adding(targets: readonly string[], address = "new@example.test") {
  return { verb: "alias_add", address: mailAddress(address), targets: targets.map(mailAddress) } as const;
}

function said(there: readonly Alias[], address: string, targets: readonly string[]): string {
  return refusesTargets(parts(there), adding(targets, address))?.message ?? "may";
}

test("an alias of the web has at most ten outside targets, including those that it already has", () => {
  const info = alias("info@example.test", [...outside(8), "owner@example.test"]);
  assert.equal(said([], "new@example.test", outside(10)), "may");
  assert.match(said([], "new@example.test", outside(11)), /no more than 10 outside targets of an alias/);
  assert.equal(said([info], "Info@example.test", outside(2, 8)), "may");
  assert.match(said([info], "info@example.test", outside(3, 8)), /10 outside targets of an alias/);
  assert.equal(said([info], "info@example.test", outside(8)), "may", "they are already targets");
});

test("all aliases together have at most two hundred outside targets; local targets do not count", () => {
  const full = Array.from({ length: 20 }, (_, i) => alias(`a${i}@example.test`, outside(10, 10 * i)));
  assert.match(said(full, "new@example.test", ["one@else.test"]), /200 outside targets in all/);
  assert.equal(said(full, "new@example.test", ["owner@example.test"]), "may");
  assert.equal(said(full.slice(1), "new@example.test", outside(10)), "may");
});

test("past a thousand aliases the web may add targets to existing ones, but create none", () => {
  const many = Array.from({ length: 1_000 }, (_, i) => alias(`a${i}@example.test`, ["owner@example.test"]));
  assert.match(said(many, "new@example.test", ["owner@example.test"]), /no more than 1000 aliases/);
  assert.equal(said(many, "a7@example.test", ["anna@example.test"]), "may");
});

test("forwards of the web count with the aliases, and a forward keeps the targets it already has", () => {
  const anna = accountName("anna@example.test");
  const aliases = Array.from({ length: 18 }, (_, i) => alias(`a${i}@example.test`, outside(10, 10 * i)));
  const forwarded = new Map(Object.entries({ [anna]: outside(10), "bob@example.test": outside(9) }));
  const forward = (name: string, to: readonly string[], by = "web:admin"): string => {
    const asked = { account: accountName(name), to: to.map(mailAddress), by };
    return tooManyForwards(parts(aliases, forwarded), asked)?.message ?? "may";
  };
  assert.equal(forward("carl@example.test", outside(1)), "may");
  const tooMany = forward("carl@example.test", outside(2));
  assert.match(tooMany, /200 outside targets in all, of aliases and of forwarded mail/);
  const byUser = forward("carl@example.test", outside(1), "mailbox:carl@example.test 203.0.113.7");
  assert.match(byUser, /150 outside targets in all/, "users leave room for the administrator");
  assert.equal(forward("carl@example.test", ["anna@example.test", "bob@example.test"]), "may");
  const asAnna = "mailbox:anna@example.test 203.0.113.7";
  assert.equal(forward("anna@example.test", outside(10, 50), asAnna), "may", "as many as before");
  assert.equal(forward("anna@example.test", []), "may");
  const refused = refusesTargets(parts(aliases, forwarded), adding(outside(2)));
  assert.match(refused?.message ?? "may", /200 outside targets in all/);
});

test("swapping the targets of aliases all day reaches few new strangers; a dry run uses up none", () => {
  left = 2;
  assert.match(said([], "new@example.test", outside(3)), /50 new outside targets of aliases within a day/);
  assert.equal(said([], "new@example.test", outside(2)), "may");
  assert.equal(refusesTargets({ ...parts([]), isDry: true }, adding(outside(3))), null);
  assert.equal(said([], "new@example.test", ["owner@example.test"]), "may");
});
