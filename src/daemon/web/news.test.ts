import assert from "node:assert/strict";
import { test } from "node:test";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { watch } from "../../adapters/sockets/control-client.ts";
import { Feed } from "../../engine/feed.ts";
import { ControlServer } from "../../servers/control-server.ts";
import { GuardNews } from "./news.ts";

/** The guard's control socket, over which commits are told. */
async function guardAt(path: string) {
  const feed = new Feed();
  const server = new ControlServer({
    origin: "web",
    run: () => Promise.resolve({ ok: true, result: { lastEventId: 0 } }),
    subscribe: feed.subscribe.bind(feed),
    report: (code, detail) => assert.fail(`${code} ${detail}`),
  });
  await server.start(path, 0o660);
  return { feed, stop: () => server.stop() };
}

test("a burst of commits is one piece of news, to everyone who listens", async (t) => {
  const path = `${temporaryDirectory()}/web.sock`;
  const guard = await guardAt(path);
  const news = new GuardNews((onEvent) => watch(path, onEvent));
  t.after(async () => {
    news.stop();
    await guard.stop();
  });
  let [reported, toldToo] = [0, 0];
  news.subscribe(() => (reported += 1));
  const leave = news.subscribe(() => (toldToo += 1));
  news.start();
  // Whoever begins to watch is told once, for what was committed before.
  await t.waitFor(() => assert.equal(reported, 1));
  for (let id = 1; id <= 50; id++) guard.feed.publish(id);
  await t.waitFor(() => assert.equal(reported, 2));
  assert.equal(toldToo, 2);
  leave();
  guard.feed.publish(51);
  await t.waitFor(() => assert.equal(reported, 3));
  assert.equal(toldToo, 2, "it has left");
});

test("when the guard returns, listeners are told at once, and it is watched again", async (t) => {
  const path = `${temporaryDirectory()}/web.sock`;
  const first = await guardAt(path);
  const news = new GuardNews((onEvent) => watch(path, onEvent));
  t.after(() => news.stop());
  let reported = 0;
  news.subscribe(() => (reported += 1));
  news.start();
  await t.waitFor(() => assert.equal(reported, 1));
  await first.stop();
  const second = await guardAt(path);
  t.after(() => second.stop());
  await t.waitFor(() => assert.equal(reported, 2), { timeout: patience(10_000) });
  second.feed.publish(7);
  await t.waitFor(() => assert.equal(reported, 3));
});

test("after the end nobody is told, and nothing is asked for again", async () => {
  let asked = 0;
  const ended = Promise.withResolvers<undefined>();
  const news = new GuardNews(() => {
    asked += 1;
    return { ended: ended.promise, close: () => ended.resolve(undefined) };
  });
  news.start();
  news.stop();
  await ended.promise;
  news.start();
  assert.equal(asked, 1);
});
