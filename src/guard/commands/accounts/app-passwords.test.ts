import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { commandsOf, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { TOKEN } from "../../../../test/kit/fake-guard.ts";
import { isoTime } from "../../../core/time.ts";

const NAME = "alice@example.test";

const kit = commandsOf(import.meta.filename, NAME);

const add = (app: string, name = NAME) => kit.ask({ verb: "app_password_add", name, app });
const remove = (app: string, name = NAME) => kit.ask({ verb: "app_password_remove", name, app });

test("an app password is random, shown once and recorded; creating one ends no session", async () => {
  const replies = [await add("phone"), await add("Annas Laptop")];
  const passwords = replies.map((reply) => (reply.ok ? reply.result.password : ""));
  for (const password of passwords) assert.match(password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
  assert.notEqual(passwords[0], passwords[1]);
  assert.deepEqual(kit.types().slice(1), ["APP_PASSWORD_MADE", "APP_PASSWORD_MADE"]);
  assert.deepEqual(kit.details().slice(1), [`phone of ${NAME} by root`, `Annas Laptop of ${NAME} by root`]);
  assert.deepEqual(kit.kept(), []);
  const listed = await kit.result({ verb: "app_passwords", name: NAME });
  const phone = { id: "phone", name: "phone", made: isoTime(kit.clock.now()), lastUsed: null, madeBy: "root" };
  const shown = listed.items.find(({ id }) => id === "phone");
  assert.deepEqual(shown, phone);
  const reported = JSON.stringify([kit.details(), kit.appPasswordsOf(NAME), listed]);
  for (const password of passwords) assert.ok(!reported.includes(password));
});

test("removing an app password ends the sessions of the account", async () => {
  await add("phone");
  assert.deepEqual(await remove("phone"), { ok: true, result: { name: NAME, app: "phone" } });
  assert.deepEqual([kit.types().at(-1), kit.kept()], ["APP_PASSWORD_REMOVED", ["kick_account"]]);
  assert.deepEqual(kit.appPasswordsOf(NAME), []);
  await add("phone");
  kit.given.keeperUp = false;
  assert.match(refusalOf(await remove("phone")), /its open sessions were not ended/);
  assert.deepEqual(kit.appPasswordsOf(NAME), []);
});

test("an invalid or missing app password, or a missing account, is refused", async () => {
  assert.match(await kit.said({ verb: "app_password_add", name: NAME, app: "a\nb" }), /^usage /);
  assert.match(await kit.said({ verb: "app_password_remove", name: NAME, app: "phone" }), /^failed /);
  for (const reply of [await add("phone", "missing@example.test"), await remove("phone", "missing@example.test")])
    assert.partialDeepStrictEqual(reply, {
      message: "There is no account missing@example.test.",
      next: "`account list` shows the accounts, `account app-password list missing@example.test` the app passwords.",
    });
  assert.deepEqual(kit.types(), ["ACCOUNT_ADDED"]);
});

test("through the web an app password can be removed without entering the password again, but not created", async () => {
  await add("phone");
  assert.ok((await kit.ask({ ...COMMANDS.token_create, scopes: ["admin"] })).ok);
  const web = (verb: "app_password_add" | "app_password_remove") =>
    kit.ask({ verb, name: NAME, app: "phone" }, "web", { as: TOKEN, ip: "203.0.113.7" });
  assert.partialDeepStrictEqual(await web("app_password_add"), { ok: false, denied: "proof_needed" });
  assert.ok((await web("app_password_remove")).ok);
  assert.deepEqual(kit.appPasswordsOf(NAME), []);
  assert.equal(kit.details().at(-1), `phone of ${NAME} by web:token phone via 203.0.113.7`);
  const next = "The page of the account (GET …/app-passwords) shows them.";
  assert.partialDeepStrictEqual(await web("app_password_remove"), { ok: false, next });
});

test("accounts with a key for their mail have no app passwords", async () => {
  kit.given.keyOfEach = true;
  assert.match(refusalOf(await add("phone")), /only its own password opens/);
  assert.deepEqual(kit.appPasswordsOf(NAME), []);
});
