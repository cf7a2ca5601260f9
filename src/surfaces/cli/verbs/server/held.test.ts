import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guardOfSuite, TIMED } from "../../../../../test/kit/test-guard.ts";
import { typed } from "../../../../../test/kit/typed-command.ts";
import type { Command, Reply } from "../../../../admin/declare/control.ts";

const NAME = "anna@example.org";
const REST = { accounts: [], sent: [], sentTotal: 0, suspended: false };
const MAIL = { account: NAME, at: "2026-11-20T07:05:01.123Z", ip: null, recipientCount: 1, recipients: [] };

test("held mail is deleted only after a question, which a script answers with --yes", async () => {
  const held = ["AAAA1", "BBBB1"].map((queueId) => ({ queueId, ...MAIL }));
  let heldTotal = 2;
  const replies = ({ verb }: Command): Reply =>
    verb === "held_list"
      ? { ok: true, result: { held: held.slice(0, heldTotal), heldTotal, ...REST } }
      : { ok: true, result: { name: NAME, dropped: 2, isMore: false, isHeld: false } };
  const no = await typed(`account drop ${NAME}`, replies, "n");
  assert.equal(no.question, `Permanently delete 2 held mails of ${NAME}? [y/N] `);
  const silent = await typed(`account drop ${NAME}`, replies);
  assert.match(silent.err, /^There is no terminal to confirm on, so no mail of anna@/);
  for (const { code, asked } of [no, silent])
    assert.deepEqual([code === 0, asked.map(({ verb }) => verb)], [false, ["held_list"]]);
  for (const [line, answer] of [
    [`account drop ${NAME}`, "y"],
    [`account drop ${NAME} --yes`, null],
  ] as const)
    assert.equal((await typed(line, replies, answer)).out, `2 held mails of ${NAME} deleted.\n`);
  const drop = { verb: "held_drop", name: NAME, isReturned: false };
  // Mail that arrives during the question stays: the command names the listed mails, or their newest time if all were listed.
  assert.deepEqual((await typed(`account drop ${NAME}`, replies, "y")).asked[1], { ...drop, ids: ["AAAA1", "BBBB1"] });
  heldTotal = 101;
  assert.deepEqual((await typed(`account drop ${NAME}`, replies, "y")).asked[1], { ...drop, until: MAIL.at });
  heldTotal = 0;
  const nothing = await typed(`account drop ${NAME}`, replies, "y");
  assert.deepEqual([nothing.code, nothing.asked.length], [1, 1]);
  assert.match(nothing.err, /^No mail of anna@example\.org is held\./);
  const ids = ["72CED1EABE5", "82CED1EABE5", "92CED1EABE5"];
  const some = await typed(`account drop ${NAME} ${ids.join(" ")} ${ids[0]}`, replies, "y");
  assert.equal(some.question, `Permanently delete 3 held mails of ${NAME}? [y/N] `);
  assert.deepEqual(some.asked[1], { ...drop, ids });
  assert.match(some.err, /^2 held mails of anna@example\.org deleted\. The guard holds no other of these\./);
  const none = await typed(`account drop ${NAME} ,`, replies, "y");
  assert.deepEqual([none.code, none.asked.length], [2, 1], "an empty list does not mean all");
});

test("with --bounce the question, the answer and the command for the rest return the mail", async () => {
  const held = [{ queueId: "AAAA1", ...MAIL }];
  let isMore = false;
  const replies = ({ verb }: Command): Reply =>
    verb === "held_list"
      ? { ok: true, result: { held, heldTotal: 1, ...REST } }
      : { ok: true, result: { name: NAME, dropped: 1, isMore, isHeld: false } };
  const { question, out } = await typed(`account drop ${NAME} --bounce`, replies, "y");
  assert.equal(question, `Return 1 held mail of ${NAME} to the senders as undeliverable? [y/N] `);
  assert.equal(out, `1 held mail of ${NAME} returned as undeliverable.\n`);
  const silent = await typed(`account drop ${NAME} --bounce`, replies);
  assert.match(silent.err, /so no mail of anna@example\.org was returned as undeliverable\./);
  isMore = true;
  const { err } = await typed(`account drop ${NAME} --bounce`, replies, "y");
  assert.equal(err, `Next: ./ghostinbox account drop ${NAME} --bounce\n`);
});

describe("account held", TIMED, () => {
  const { guard, does, fails } = guardOfSuite({ accounts: [NAME] });

  test("a misspelled name is reported, not shown as an account without held mail", async () => {
    guard().keeperAnswers((command) =>
      command.verb === "find_mail" ? { ok: true, detail: "", mails: [], total: 0 } : null,
    );
    assert.match(await does(`account held ${NAME}`), /^No mail of anna@example\.org is held\./);
    await fails("account held ana@example.org", /^There is no account ana@example\.org\. /);
  });
});

test("fetches no rules while the spam filter is off", async () => {
  const { code, err } = await typed("spam update", () => assert.fail("it asks nothing"));
  assert.equal(code, 1);
  assert.match(err, /^The spam filter has been off .* Run `\.\/ghostinbox config set spam\.enabled true`, then /s);
});
