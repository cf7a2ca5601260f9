import assert from "node:assert/strict";
import { test } from "node:test";
import { TEST_POLICY } from "../../../../test/kit/engine-kit.ts";
import { accountName, mailAddress, NOON } from "../../../../test/kit/samples.ts";
import { refusesTargets, tooManyForwards } from "./web-targets.ts";

type Alias = Readonly<{ address: string; targets: readonly string[]; blocked: boolean }>;

const alias = (address: string, targets: readonly string[]): Alias => ({ address, targets, blocked: false });
const outside = (many: number, from = 0) => Array.from({ length: many }, (_, i) => `x${from + i}@else.test`);

/** As many new targets of aliases as may be added today. */
let left = 50;

function parts(there: readonly Alias[], forwarded: ReadonlyMap<string, readonly string[]> = new Map()) {
  return {
    book: { aliases: () => ({ items: there, next: null, total: there.length }) },
    forwards: {
      targetsOf: (name: string) => forwarded.get(name) ?? [],
      targets: () => [...forwarded.values()].flat(),
      spendTargets: (_: string, added: number) => added <= left,
    },
    engine: { policy: TEST_POLICY },
    clock: { now: () => NOON },
  };
}

function adding(many: number) {
  const targets = outside(many).map(mailAddress);
  return { verb: "alias_add", address: mailAddress("new@example.test"), targets } as const;
}

function said(there: readonly Alias[], address: string, targets: readonly string[]): string {
  const command = { verb: "alias_add", address: mailAddress(address), targets: targets.map(mailAddress) } as const;
  return refusesTargets(parts(there), command)?.message ?? "may";
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
  const forwarded = new Map([
    [anna, outside(10)],
    ["bob@example.test", outside(9)],
  ]);
  const forward = (name: string, to: readonly string[], by = "web:admin"): string =>
    tooManyForwards(parts(aliases, forwarded), { account: accountName(name), to: to.map(mailAddress), by })?.message ??
    "may";
  assert.equal(forward("carl@example.test", outside(1)), "may");
  const tooMany = forward("carl@example.test", outside(2));
  assert.match(tooMany, /200 outside targets in all, of aliases and of forwarded mail/);
  assert.match(
    forward("carl@example.test", outside(1), "mailbox:carl@example.test 203.0.113.7"),
    /150 outside targets in all/,
    "users leave room for the administrator",
  );
  assert.equal(forward("carl@example.test", ["anna@example.test", "bob@example.test"]), "may");
  const asAnna = "mailbox:anna@example.test 203.0.113.7";
  assert.equal(forward("anna@example.test", outside(10, 50), asAnna), "may", "as many as before");
  assert.equal(forward("anna@example.test", []), "may");
  assert.match(refusesTargets(parts(aliases, forwarded), adding(2))?.message ?? "may", /200 outside targets in all/);
});

test("whoever swaps the targets of aliases all day reaches few new strangers; a dry run uses up none", () => {
  left = 2;
  const add = adding(3);
  assert.match(refusesTargets(parts([]), add)?.message ?? "may", /50 new outside targets of aliases within a day/);
  assert.equal(refusesTargets(parts([]), adding(2)), null);
  assert.equal(refusesTargets({ ...parts([]), isDry: true }, add), null);
  assert.equal(refusesTargets(parts([]), { ...add, targets: [mailAddress("owner@example.test")] }), null);
});
