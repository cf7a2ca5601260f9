import assert from "node:assert/strict";
import { test } from "node:test";
import { t } from "./messages.ts";
import { loaded, wasReloaded } from "./programs.ts";

function browser(answering = true) {
  const kept = new Map<string, string>();
  const store = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
  const { promise: reloaded, resolve } = Promise.withResolvers<void>();
  return { store, answers: () => Promise.resolve(answering), reload: resolve, reloaded };
}

const missing = (): Promise<never> => Promise.reject(new TypeError("Failed to fetch dynamically imported module"));

test("a page that lacks a part is loaded again once, and says so; a part that is still missing is reported", async () => {
  const around = browser();
  assert.ok(!wasReloaded(around));
  void loaded(missing, around);
  await around.reloaded;
  assert.ok(wasReloaded(around));
  await assert.rejects(loaded(missing, around), { message: t.live.outdated });
  assert.equal(await loaded(() => Promise.resolve("a page"), around), "a page");
  assert.ok(!wasReloaded(around), "after the next upgrade it is loaded again too");
});

test("a page is not loaded again from a server that does not answer, or in a browser that could not end it", async () => {
  await assert.rejects(loaded(missing, browser(false)), { message: t.live.unreachable });
  await assert.rejects(loaded(missing, { ...browser(), store: null }), { message: t.live.outdated });
  assert.ok(!wasReloaded({ store: null }));
});
