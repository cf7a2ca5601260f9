import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { filesBelow } from "../../host/root-files/walk.ts";
import { layoutOf } from "../../settings/layout.ts";
import { takeRestoredQueue } from "./restored-queue.ts";

const skip = lacking({ root: true, installed: ["postsuper"], users: ["postfix"] });
/** A long queue id (postconf(5), enable_long_queue_ids), which no other mail ever gets. */
const ID = "4WxPk12HbCz1";

test("a restored queue becomes Postfix's, with the queue ids in the events", { skip }, async () => {
  const top = temporaryDirectory();
  // postsuper(1) works as the user postfix.
  chmodSync(top, 0o755);
  const layout = layoutOf(join(top, "data"));
  const from = join(layout.backupQueue, "deferred", "4");
  for (const path of [from, join(layout.backupQueue, "active"), layout.postfixQueue, layout.postfixData])
    mkdirSync(path, { recursive: true });
  const queues = "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace";
  for (const name of queues.split(" ")) mkdirSync(join(layout.postfixQueue, name));
  writeFileSync(join(from, ID), "a mail", { mode: 0o700 });
  assert.equal(await takeRestoredQueue(layout), 1);
  const mails = filesBelow(join(layout.postfixQueue, "deferred"));
  const owned = mails.map((path) => [basename(path), statSync(path).uid]);
  assert.deepEqual(owned, [[ID, userIds("postfix").uid]]);
  assert.ok(!existsSync(layout.backupQueue));
  assert.equal(await takeRestoredQueue(layout), 0, "only once");
});
