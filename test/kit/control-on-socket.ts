import assert from "node:assert/strict";
import type { ParsedLine, Reply } from "../../src/admin/declare/control.ts";
import type { Origin } from "../../src/admin/declare/verb.ts";
import { CommitFeed } from "../../src/guard/commits.ts";
import { createControlServer } from "../../src/surfaces/control-server.ts";

/** A guard that gives these replies through its real control socket until it is stopped. `publish`: reports a commit. */
export async function controlOnSocket(path: string, origin: Origin, reply: (line: ParsedLine) => Reply) {
  const feed = new CommitFeed();
  const server = createControlServer({
    origin,
    run: async (line) => reply(line),
    subscribe: feed.subscribe.bind(feed),
    report: (code, detail) => assert.fail(`${code}: ${detail}`),
  });
  await server.start(path, 0o600);
  const stop = () => server.stop();
  return { publish: (lastEventId: number) => feed.publish(lastEventId), stop, [Symbol.asyncDispose]: stop };
}
