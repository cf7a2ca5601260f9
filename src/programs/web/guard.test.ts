import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { controlOnSocket } from "../../../test/kit/control-on-socket.ts";
import { patience } from "../../../test/kit/patience.ts";
import { ip } from "../../../test/kit/samples.ts";
import { servedSocket, silent } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import type { ParsedLine, Reply } from "../../admin/declare/control.ts";
import { type NoAnswer, watch } from "../../host/sockets/control-client.ts";
import { createGuardNews, createGuardPort } from "./guard.ts";

test("a health request about a hanging guard is answered within seconds", async () => {
  const path = await servedSocket(silent);
  const from = performance.now();
  const reply = await createGuardPort(path).ask("web", { verb: "health" });
  assert.ok(!reply.ok && reply.kind === "unreachable");
  assert.ok(performance.now() - from < patience(4_000));
  assert.equal(reply.mayBeDone, true);
  const absent = await createGuardPort(`${path}.none`).ask("web", { verb: "health" });
  assert.ok(!absent.ok && absent.kind === "unreachable" && absent.mayBeDone === undefined);
});

test("the line of a command says who asks, and whether it is a dry run", async (t) => {
  const lines: ParsedLine[] = [];
  const { path } = await guardFor(t, (line) => {
    lines.push(line);
    return { ok: true, result: { prefix: "" } };
  });
  const guard = createGuardPort(path);
  const command = { verb: "unban", target: "203.0.113.7" } as const;
  const asker = { as: "secret", ip: ip("192.0.2.10") };
  await guard.ask(asker, command, { isDry: true });
  await guard.ask(asker, command, { isDry: false });
  await guard.ask(asker, command);
  const askers = lines.map(({ as, ip: from, isDry }) => ({ as, ip: from, isDry }));
  const expected = [true, undefined, undefined].map((isDry) => ({ ...asker, isDry }));
  assert.deepEqual(askers, expected);
});

const WATCHED = (): Reply => ({ ok: true, result: { lastEventId: 0 } });

/** The guard's control socket, which reports commits. */
async function guardFor(t: TestContext, run: (line: ParsedLine) => Reply, path = `${temporaryDirectory()}/web.sock`) {
  const guard = await controlOnSocket(path, "web", run);
  t.after(() => guard.stop());
  return { path, ...guard };
}

function newsOf(t: TestContext, path: string) {
  const news = createGuardNews((onEvent) => watch(path, onEvent));
  t.after(() => news.stop());
  return news;
}

test("every subscriber gets one notification for a burst of commits", async (t) => {
  const guard = await guardFor(t, WATCHED);
  const news = newsOf(t, guard.path);
  let [reported, alsoReported] = [0, 0];
  news.subscribe(() => (reported += 1));
  const leave = news.subscribe(() => (alsoReported += 1));
  news.start();
  // A new subscriber gets one notification for earlier commits.
  await until(() => reported === 1);
  for (let id = 1; id <= 50; id++) guard.publish(id);
  await until(() => reported === 2);
  assert.equal(alsoReported, 2);
  leave();
  guard.publish(51);
  await until(() => reported === 3);
  assert.equal(alsoReported, 2, "it has unsubscribed");
});

test("when the guard returns, subscribers are notified at once, and watching continues", async (t) => {
  const first = await guardFor(t, WATCHED);
  const news = newsOf(t, first.path);
  let reported = 0;
  news.subscribe(() => (reported += 1));
  news.start();
  await until(() => reported === 1);
  await first.stop();
  const second = await guardFor(t, WATCHED, first.path);
  await until(() => reported === 2);
  second.publish(7);
  await until(() => reported === 3);
});

test("after a stop no subscriber is notified, and the guard is not asked again", async () => {
  let asked = 0;
  const ended = Promise.withResolvers<NoAnswer>();
  const news = createGuardNews(() => {
    asked += 1;
    return { ended: ended.promise, close: () => ended.resolve({ ok: false, kind: "broken", message: "" }) };
  });
  news.start();
  news.stop();
  await ended.promise;
  news.start();
  assert.equal(asked, 1);
});
