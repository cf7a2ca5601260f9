import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { bearer, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { tokenNamed } from "../../../test/kit/fake-guard.ts";
import type { Caller } from "./access.ts";
import { API_LIMITS } from "./limits.ts";
import { LookupsBusy } from "./ports.ts";
import { ApiServer } from "./server.ts";
import { ReadShares } from "./shares.ts";

const tokenOf = (name: string) => ({ ...tokenNamed(name, ["read"]), secret: name });
const A = tokenOf("a");

/** A session of the user of a mailbox. */
function userOf(account: string, session = "1"): Caller {
  return { how: "session", name: account, role: "mailbox", account, scopes: [], freshUntil: null, session, secret: "" };
}

test("a reader may ask several questions at once, others have their own share, and each answer or failure makes room", async () => {
  const shares = new ReadShares();
  const { promise, resolve } = Promise.withResolvers<string>();
  const all = Array.from({ length: API_LIMITS.readsOfOne }, () => shares.run(A, () => promise));
  await assert.rejects(
    shares.run(A, () => promise),
    LookupsBusy,
  );
  assert.equal(await shares.run(tokenOf("b"), () => Promise.resolve("b")), "b");
  resolve("a");
  await Promise.all(all);
  const failing = (): Promise<never> => Promise.reject(new Error("no"));
  for (let i = 0; i <= API_LIMITS.readsOfOne; i++) await assert.rejects(shares.run(A, failing), /no/);
});

test("a token that asks without end leaves the owner's page its answers", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit);
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const lookups: typeof kit.parts.lookups = {
    ask: async (...question) => {
      asked += 1;
      if (asked <= API_LIMITS.readsOfOne) await promise;
      return kit.parts.lookups.ask(...question);
    },
  };
  const server = new ApiServer({ ...kit.parts, lookups });
  t.after(() => server.stop());
  const events = `http://127.0.0.1:${await server.listen("127.0.0.1", 0)}/api/v1/events`;
  const read = async (headers: Readonly<Record<string, string>>) => (await fetch(events, { headers })).status;
  const all = Array.from({ length: API_LIMITS.readsOfOne + 1 }, () => read(bearer));
  assert.equal(await Promise.race(all), 503);
  assert.equal(await read({ cookie }), 200);
  resolve();
  const statuses = await Promise.all(all);
  assert.equal(statuses.filter((status) => status === 200).length, API_LIMITS.readsOfOne);
});

test("users of mailboxes wait their turn, with all their sessions together, and the owner passes them by", async () => {
  const shares = new ReadShares();
  const { promise, resolve } = Promise.withResolvers<void>();
  const { mailboxReadsOfOne, mailboxReads, readsOfOne } = API_LIMITS;
  let running = 0;
  const read = async (): Promise<void> => {
    running += 1;
    await promise;
  };
  const ofOne = Array.from({ length: readsOfOne }, (_, n) => shares.run(userOf("u0", `${n}`), read));
  await setImmediate();
  assert.equal(running, mailboxReadsOfOne);
  await assert.rejects(shares.run(userOf("u0", "another"), read), LookupsBusy);
  const ofOthers = Array.from({ length: mailboxReads }, (_, n) => shares.run(userOf(`u${n + 1}`), read));
  await setImmediate();
  assert.equal(running, mailboxReads, "all together");
  assert.equal(await shares.run(A, () => Promise.resolve("the owner's")), "the owner's");
  resolve();
  await Promise.all([...ofOne, ...ofOthers]);
  assert.equal(running, readsOfOne + mailboxReads);
});

test("a user who waits too long gets an answer that says so", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const shares = new ReadShares();
  const never = (): Promise<never> => new Promise(() => undefined);
  for (let i = 0; i < API_LIMITS.mailboxReadsOfOne; i++) void shares.run(userOf("anna"), never);
  const refused = assert.rejects(shares.run(userOf("anna"), never), LookupsBusy);
  await setImmediate();
  t.mock.timers.tick(API_LIMITS.mailboxReadWaitMs);
  await refused;
});
