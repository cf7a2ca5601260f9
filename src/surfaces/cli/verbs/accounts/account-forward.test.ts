import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guardOfSuite, TIMED } from "../../../../../test/kit/test-guard.ts";

const ANNA = "anna@example.org";
const ELSEWHERE = "anna@elsewhere.example";

describe("account forward, and app passwords", TIMED, () => {
  const { run } = guardOfSuite({ accounts: [ANNA] });

  test("sets, shows and ends it", async () => {
    assert.match((await run(`account forward ${ANNA}`)).out, /^Mail for anna@example\.org stays in its mailbox\.$/m);
    await run(`account forward ${ANNA} ${ELSEWHERE} --no-keep`);
    const shown = (await run(`account forward ${ANNA}`)).out;
    assert.match(shown, /^Mail for anna@example\.org is sent on to anna@elsewhere\.example, and none stays/m);
    await run(`account forward ${ANNA} ${ELSEWHERE} --keep`);
    assert.match((await run(`account forward ${ANNA}`)).out, /, and a copy stays in its mailbox\.$/m);
    const asJson = async (words: string): Promise<unknown> =>
      JSON.parse((await run(`account forward --json ${words}`)).out);
    assert.deepEqual(await asJson(ANNA), await asJson(`${ANNA} ${ELSEWHERE}`), "the same when shown and set");
    assert.match((await run(`account forward ${ANNA} --off`)).out, /stays in its mailbox/);
  });

  test("refuses contradictions, and what cannot be an account", async () => {
    for (const line of [`${ANNA} ${ELSEWHERE} --keep --no-keep`, `${ANNA} --no-keep`, `anna ${ELSEWHERE}`])
      assert.equal((await run(`account forward ${line}`)).code, 2, line);
  });

  test("an app password is shown once, and listed without it", async () => {
    const made = (await run(`account app-password add ${ANNA} Annas Laptop`)).out;
    const [password = ""] = made.split("\n");
    assert.match(
      made,
      /^[a-z2-9]{5}(-[a-z2-9]{5}){3}\nType it into Annas Laptop, with the user name anna@example\.org\./,
    );
    const listed = (await run(`account app-password list ${ANNA}`)).out;
    assert.match(listed, /^Annas Laptop +never +\d\S+ \S+ UTC +root$/m);
    assert.ok(password !== "" && !listed.includes(password));
    assert.equal((await run(`account app-password remove ${ANNA} Annas Laptop`)).code, 0);
    assert.match((await run(`account app-password list ${ANNA}`)).out, /has no app password/);
    assert.equal((await run("account app-password list nobody@example.org")).code, 1);
    assert.equal((await run(`account app-password add ${ANNA}`)).code, 2);
  });
});
