import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { API_LIMITS } from "./limits.ts";
import { LookupsBusy } from "./ports.ts";
import { ReadShares } from "./read-shares.ts";
import { ApiServer } from "./server.ts";

test("a reader has so many questions at once, others have theirs, and what is answered or fails makes room", async () => {
  const shares = new ReadShares();
  const { promise, resolve } = Promise.withResolvers<string>();
  const all = Array.from({ length: API_LIMITS.readsOfOne }, () => shares.run("token a", () => promise));
  await assert.rejects(
    shares.run("token a", () => promise),
    LookupsBusy,
  );
  assert.equal(await shares.run("token b", () => Promise.resolve("b")), "b");
  resolve("a");
  await Promise.all(all);
  const failing = (): Promise<never> => Promise.reject(new Error("no"));
  for (let i = 0; i <= API_LIMITS.readsOfOne; i++) await assert.rejects(shares.run("token a", failing), /no/);
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
