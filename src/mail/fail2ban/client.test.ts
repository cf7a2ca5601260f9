import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { jailsOf } from "./client.ts";

test("a missing Fail2ban is reported with the client's own words, and a slow one is not waited for", {
  skip: lacking({ installed: ["fail2ban-client"] }),
}, async () => {
  const files = { fail2banConf: "/etc/fail2ban", fail2banSocket: join(temporaryDirectory(), "none.sock") };
  const asked = await jailsOf(files);
  assert.ok(!asked.ok && asked.reason.includes("none.sock"), JSON.stringify(asked));
  assert.equal((await jailsOf(files, { signal: AbortSignal.abort() })).ok, false);
});
