import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { judgeFilter, readFilter, refusalOf, STOCK_DIRECTORY } from "./adopt-filters.ts";
import { renderFail2banFilters } from "./filters.ts";

const whyNot = lacking({ root: true, installed: [STOCK_DIRECTORY] });

async function refusal(text: string, deadlineMs = 10_000): Promise<string | null> {
  return refusalOf(await judgeFilter({ name: "candidate", text }, { checkout: CHECKOUT, deadlineMs }));
}

describe("filters are judged by Fail2ban's own code", { skip: whyNot }, () => {
  for (const name of ["postfix", "dovecot"])
    test(`the stock filter ${name} is valid`, async () =>
      assert.equal(await refusal(readFilter(STOCK_DIRECTORY, name).text), null));

  for (const { name, text } of renderFail2banFilters())
    test(`our ${name} is sound`, async () => assert.equal(await refusal(text), null));

  for (const [what, regex, expected] of [
    ["whoever connects", "^\\s*\\S+ postfix/smtpd\\[\\d+\\]: lost connection after \\S+ from [^[]*\\[<HOST>\\]$", null],
    ["the last address of the line", "^ login failed for user .* from <HOST>$", null],
    ["an address anywhere", "reject: .* from .*\\[<HOST>\\]", /lets attackers choose/],
    ["an address in HELO", "helo=<\\[<HOST>\\]>", /lets attackers choose/],
    ["the first address after a name", "^ login failed for .*? from <HOST>", /lets attackers choose/],
    ["no address", "a failure", /No failure-id group/],
    ["no regular expression", "a( <HOST>", /Unable to compile/],
    ["an endless match", "^ ((a+)+)+b from <HOST>$", /takes too long/],
  ] as const)
    test(`a filter that blames ${what}`, async () => {
      const deadlineMs = expected?.source === "takes too long" ? 1_000 : 10_000;
      const found = await refusal(`[Definition]\nfailregex = ${regex}\n`, deadlineMs);
      if (expected === null) assert.equal(found, null);
      else assert.match(found ?? "", expected);
    });

  test("shows what it matches in a log", async () => {
    const line = (second: number) =>
      `Nov 20 10:00:0${second} mail postfix/smtpd[9]: lost connection after AUTH from a.test[198.51.100.7]`;
    const text = renderFail2banFilters().find(({ name }) => name.includes("smtp-abuse"))?.text ?? "";
    const log = `${line(1)}\nNov 20 10:00:01 mail postfix/smtpd[9]: connect from a.test[198.51.100.7]\n${line(3)}\n`;
    const judged = await judgeFilter({ name: "abuse", text }, { checkout: CHECKOUT, log, tricks: false });
    assert.ok(judged.ok);
    assert.deepEqual([judged.lines, judged.matches.map(({ ip }) => ip)], [3, ["198.51.100.7", "198.51.100.7"]]);
    assert.equal((judged.matches[1]?.at ?? 0) - (judged.matches[0]?.at ?? 0), 2_000);
  });
});
