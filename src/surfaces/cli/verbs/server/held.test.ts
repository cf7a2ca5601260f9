import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guardOfSuite, oneLineOfError, TIMED } from "../../../../../test/kit/test-guard.ts";
import { typed } from "../../../../../test/kit/typed-command.ts";

const NAME = "anna@example.org";

test("held mail is deleted only after a question, which a script answers with --yes", async () => {
  const replies = () => ({ ok: true, result: { name: NAME, dropped: 2, isMore: false, isHeld: false } }) as const;
  for (const answer of ["n", null]) assert.deepEqual((await typed(`account drop ${NAME}`, replies, answer)).asked, []);
  assert.match((await typed(`account drop ${NAME}`, replies)).err, /^No terminal to ask on: no mail of anna@/);
  for (const [line, answer] of [
    [`account drop ${NAME}`, "y"],
    [`account drop ${NAME} --yes`, null],
  ] as const)
    assert.equal((await typed(line, replies, answer)).out, `2 held mails of ${NAME} deleted.\n`);
});

describe("account held", TIMED, () => {
  const { run, guard } = guardOfSuite({ accounts: [NAME] });

  test("a misspelled name is no account without held mail", async () => {
    guard().keeperAnswers((command) =>
      command.verb === "find_mail" ? { ok: true, detail: "", mails: [], total: 0 } : null,
    );
    assert.match((await run(`account held ${NAME}`)).out, /^No mail of anna@example\.org is held\./);
    const refused = await run("account held ana@example.org");
    assert.equal(refused.code, 1);
    assert.match(oneLineOfError(refused), /^There is no account ana@example\.org\. /);
  });
});
