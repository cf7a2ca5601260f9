import assert from "node:assert/strict";
import { test } from "node:test";
import type { BanItem } from "../../../src/admin/bans.ts";
import * as texts from "../../texts/english-admin.ts";
import { verdictOf } from "./ban-commands.ts";

const of = (asked: string, prefix: string | null) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields that a verdict reads
  const ban = prefix === null ? null : ({ prefix, level: "manual", reason: "guesses" } as BanItem);
  return verdictOf(asked, ban, texts);
};

test("a ban of a network is named as such, in the sentence and on the button", () => {
  assert.deepEqual(of("203.0.113.7", "203.0.113.0/24"), {
    says: "It is banned with its network 203.0.113.0/24 (manual): guesses.",
    unban: "Unban 203.0.113.0/24",
  });
  assert.equal(of("2001:db8::1", "2001:db8::/64").unban, "Unban 2001:db8::/64");
});

test("a ban of exactly the requested address is shown without a network", () => {
  for (const [asked, prefix] of [
    ["203.0.113.7", "203.0.113.7/32"],
    ["203.0.113.0/24", "203.0.113.0/24"],
    ["2001:DB8::1", "2001:db8::1/128"],
  ] as const)
    assert.deepEqual(of(asked, prefix), { says: "It is banned (manual): guesses.", unban: "Unban it" });
});

test("a network that is not banned may hold addresses that are", () => {
  for (const asked of ["203.0.113.7", "203.0.113.7/32"]) assert.equal(of(asked, null).says, "It is not banned.");
  assert.match(of("203.0.113.0/24", null).says, /not banned as a whole/);
});
