import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { reasons } from "../events/reasons.ts";

const OF_FILTERS = ["spam_refused", "dmarc_refused", "filter_deferred", "filter_refused"];
const OF_AUTHORS = ["author_unclear", "author_not_own"];
const OF_SESSIONS = ["lost_connection", "timed_out", "too_many_errors", "pipelining", "tls_failed", "auth_not_offered"];
const OF_POSTFIX = ["malformed_command", "postfix_limit", "relay_refused", "helo_refused", "sender_refused"];
const OTHERS = ["unseen_login_failure", "too_large", "mail_loop", "mailbox_full", "postfix_deferred"];
/** Reasons from logs: no decision uses them. */
const NOT_DECIDED: readonly string[] = [...OF_FILTERS, ...OF_AUTHORS, ...OF_SESSIONS, ...OF_POSTFIX, ...OTHERS];

test("the code of each reason appears where it is decided, so that a search leads there", () => {
  const text = globSync("src/core/decide/*.ts")
    .filter((file) => !file.endsWith(".test.ts"))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const missing = Object.keys(reasons).filter((code) => !text.includes(`"${code}"`));
  assert.deepEqual(missing.toSorted(), NOT_DECIDED.toSorted());
});
