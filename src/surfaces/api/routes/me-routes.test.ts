import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf, signIn, tableOf } from "../../../../test/kit/api-kit.ts";
import { eventItem } from "../../../../test/kit/samples.ts";
import { rightsOf } from "../../../admin/declare/rights.ts";
import type { EventFilter, EventPage } from "../../../guard/storage-ports.ts";

const kit = apiKitOf(import.meta.filename);
const ANNA = "anna@example.org";

test("own sign-ins and mail are read for the session's account, and other people's mail is not found", async (t) => {
  const cookie = await signIn(kit, ANNA);
  const asked: unknown[] = [];
  const row = eventItem("LOGIN_FAILED", { id: 7, account: ANNA, ip: "198.51.100.7", service: "imap" });
  const delivered = eventItem("EMAIL_DELIVERED", { id: 8, queueId: "72CED1EABE5", recipient: ANNA });
  t.mock.method(kit.queries, "events", ({ account, mail, types }: EventFilter): EventPage => {
    asked.push(account ?? mail);
    const found = mail === "72CED1EABE5" ? [delivered] : account === ANNA && types?.includes(row.type) ? [row] : [];
    return { items: found, next: null };
  });
  const read = (path: string) => kit.send("GET", `me/${path}`, undefined, { cookie });
  const { at } = row;
  const item = { at, ip: "198.51.100.7", service: "imap", isRight: false, what: "wrong_password" };
  assert.deepEqual(await read("sign-ins"), { status: 200, answer: { items: [item], next: null } });
  assert.deepEqual(new Set(asked), new Set([ANNA]));
  const step = { at, what: "delivered", says: "The mail was delivered; it may be in the Junk folder." };
  assert.deepEqual(await read("mail?id=72CED1EABE5"), { status: 200, answer: { state: "delivered", steps: [step] } });
  const foreign = await read("mail?id=82CED1EABE6");
  assert.equal(foreign.status, 404);
  assert.deepEqual(await read("mail?id=%3Cnever@was.test%3E"), foreign, "in the same words");
  assert.equal((await read("mail")).status, 400);
});

test("a mailbox user may use only the routes of mailboxes and those of every session; the owner has no mailbox", async () => {
  const cookie = await signIn(kit, ANNA);
  const table = tableOf(kit).filter(({ who }) => who !== "anyone");
  const open: string[] = [];
  for (const { method, path, asks, needs } of table) {
    if (needs === "mailbox") continue;
    if (asks === undefined || rightsOf(asks).needs !== "caller") {
      const url = `${kit.url}${path.replaceAll(/\{\w+\}/g, "203.0.113.7")}`;
      const { status } = await fetch(url, { method, headers: { cookie } });
      if (status === 403) continue;
      assert.equal(status, 200, `${method} ${path}`);
    }
    open.push(`${method} ${path}`);
  }
  assert.deepEqual(open, ["POST /api/v1/logout", "GET /api/v1/session", "POST /api/v1/session/proof"]);
  const verbs = kit.guard.asked.map(({ command }) => command.verb);
  assert.deepEqual(verbs, ["sign_in_mailbox"], "none of them reached the guard");
  assert.equal((await kit.send("GET", "me", undefined, { cookie: await signIn(kit) })).status, 403);
});

test("a password that is easy to guess is not set, and one that may not be set is never judged", async (t) => {
  const cookie = await signIn(kit, ANNA);
  const judge = t.mock.method(kit.parts.passwords, "judge");
  const send = (password: string) => kit.send("POST", "me/password", { password }, { cookie });
  kit.guard.answers("my_password", { done: true });
  const next = "Choose another one: several unrelated words make a good one.";
  assert.partialDeepStrictEqual(await send("weak"), { status: 400, answer: { next } });
  const [asked, ...others] = kit.guard.asked.filter(({ command }) => command.verb === "my_password");
  assert.deepEqual([asked?.isDry, others], [true, []], "only whether it may be set");
  kit.guard.refuses("my_password", "", { denied: "proof_needed" });
  assert.equal((await send("quite new words")).status, 403);
  assert.equal(judge.mock.callCount(), 1);
});
