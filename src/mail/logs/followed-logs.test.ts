import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { instant } from "../../core/time.ts";
import { layoutOf } from "../../settings/layout.ts";
import { followedLogs } from "./followed-logs.ts";

const layout = layoutOf("/srv/mail");
const SINCE = instant(Date.UTC(2026, 10, 20));

function logsWith(toml: string) {
  return followedLogs(layout, settingsWith(toml), SINCE);
}

test("the log of mail, which several programs write, and that of spamd are followed", () => {
  assert.deepEqual(
    logsWith("").map(({ name, file, shared }) => [name, file, shared]),
    [
      ["mail", "/srv/mail/log/mail/mail.log", true],
      ["spamd", "/srv/mail/log/spamd/current", false],
    ],
  );
});

test("without SpamAssassin its log is not there to be followed", () => {
  assert.deepEqual(
    logsWith("[spam]\nenabled = false\n").map(({ name }) => name),
    ["mail"],
  );
});

test("a line without an observation is not an event, whichever program wrote it", () => {
  for (const { read } of logsWith(""))
    for (const line of ["", "nonsense", "x".repeat(10_000)]) assert.equal(read(line), null);
});
