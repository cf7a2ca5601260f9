import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { patience } from "../../../test/kit/patience.ts";
import { UNNAMED } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { columnOf } from "../../../test/kit/test-database.ts";
import type { Observation } from "../../core/events/log.ts";
import { parseIp } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import { layoutOf } from "../../settings/layout.ts";
import { createLogFollowers, observedLogs, observing } from "./followed-logs.ts";

const layout = layoutOf("/srv/mail");
const SINCE = instant(Date.UTC(2026, 10, 20));

const logsWith = (toml: string) => observedLogs(layout, settingsWith(toml), SINCE, { now: () => SINCE });

test("mail.log, which several programs write, and spamd's log are followed", () => {
  const followed = logsWith("").map(({ name, file, shared }) => `${name} ${file}${shared ? ", shared" : ""}`);
  assert.deepEqual(followed, ["mail /srv/mail/log/mail/mail.log, shared", "spamd /srv/mail/log/spamd/current"]);
});

test("spamd's log is not followed if SpamAssassin is off", () => {
  const names = logsWith("[spam]\nenabled = false\n").map(({ name }) => name);
  assert.deepEqual(names, ["mail"]);
});

/** Reads `refused 198.51.100.7`; ignores other lines. */
function read(line: string): Observation | null {
  const ip = parseIp(/^refused (\S+)$/.exec(line)?.[1] ?? "");
  return ip === null
    ? null
    : { type: "CLIENT_FAULT", ip, service: "smtp", times: 1, reason: "lost_connection", detail: "AUTH", ...UNNAMED };
}

const WAIT = { timeout: patience(10_000) };

test("an unreadable log is reported, and its lines are events once it can be read", async (t) => {
  const { engine, db, sqlite } = engineOnMemory();
  const file = join(temporaryDirectory(), "mail.log");
  const warned: string[] = [];
  const log = { info: assert.fail, error: assert.fail, warn: (says: string) => warned.push(says) };
  const logs = observing(engine, [{ name: "mail", file, shared: false, read }]);
  const watch = createLogFollowers(logs, { positions: sqlite, log });
  mkdirSync(file);
  watch.start();
  t.after(() => watch.stop());
  await t.waitFor(() => assert.equal(warned[0], "A log cannot be read; retrying."), WAIT);
  rmSync(file, { recursive: true });
  const lines = ["refused 198.51.100.1", "nothing to tell", "refused 198.51.100.2"];
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  const seen = () => columnOf(db, "SELECT ip FROM security_events ORDER BY ip");
  await t.waitFor(() => assert.deepEqual(seen(), ["198.51.100.1", "198.51.100.2"]), WAIT);
  assert.equal(sqlite.positionOf("mail")?.offset, lines.join("\n").length + 1, "a restart continues there");
});

test("a mail with many Message-IDs is one event of a batch, even if the batch is offered again", async () => {
  const { engine } = engineOnMemory();
  const offered: unknown[] = [];
  engine.observe = (_log, _position, seen) => {
    offered.push(seen);
    return Promise.resolve(false);
  };
  const [log] = observing(engine, logsWith("").slice(0, 1));
  assert.ok(log !== undefined);
  const line = "Nov 20 08:08:30 mail postfix/cleanup[1]: 4bCdEf0Abc: message-id=";
  const lines = [...["<1@x>", "<2@x>", "<3@x>"].map((id) => `${line}${id}`), `${line.replace("4b", "5b")}<1@x>`];
  const queued = (queueId: string) => ({ type: "MAIL_QUEUED", queueId, messageId: "<1@x>" });
  for (let n = 0; n < 2; n += 1) assert.equal(await log.take(lines, { inode: "1-1", offset: 1 }), false);
  const batch = [queued("4bCdEf0Abc"), queued("5bCdEf0Abc")];
  assert.deepEqual(offered, [batch, batch]);
});
