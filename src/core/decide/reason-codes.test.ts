import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { reasons } from "../events/reasons.ts";

/** Reasons from logs, or for answers while nothing can be written: no decision uses them. */
const NOT_DECIDED: readonly string[] = [
  "spam_refused",
  "dmarc_refused",
  "filter_deferred",
  "filter_refused",
  "author_unclear",
  "author_not_own",
  "unseen_login_failure",
  "lost_connection",
  "timed_out",
  "too_many_errors",
  "pipelining",
  "tls_failed",
  "auth_not_offered",
  "malformed_command",
  "postfix_limit",
  "relay_refused",
  "helo_refused",
  "sender_refused",
  "too_large",
  "mailbox_full",
  "not_recorded",
];

test("the code of each reason that is decided stands where it is decided, so that a search for it leads there", () => {
  const text = globSync("src/core/decide/*.ts")
    .filter((file) => !file.endsWith(".test.ts"))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const missing = Object.keys(reasons).filter((code) => !text.includes(`"${code}"`));
  assert.deepEqual(missing.toSorted(), NOT_DECIDED.toSorted());
});
