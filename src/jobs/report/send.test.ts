import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { makeMailQueue, SENDMAIL } from "../../../test/kit/mail-queue.ts";
import { reportFacts } from "../../../test/kit/report-facts.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { reportOf } from "../../core/report/report.ts";
import { sendReport } from "./send.ts";

const OWNERS = ["owner@elsewhere.example", "second@elsewhere.example"];

describe("a report in the queue of the real Postfix", SENDMAIL, () => {
  const layout = temporaryLayout();
  makeMailQueue(layout);

  for (const [toml, to] of [
    [`[alerts]\nemail = ${JSON.stringify(OWNERS)}\n`, OWNERS],
    ['[alerts]\nrelay = "[smtp.example.net]:587"\nrelay_to = ["me@example.net"]\n', ["me@example.net"]],
    ['[alerts]\nntfy = ["https://ntfy.example/topic"]\n', ["postmaster@example.org"]],
    ["", ["postmaster@example.org"]],
  ] as const)
    test(`is sent to ${to.join(" and ")}`, async () => {
      const sent = await sendReport(layout, settingsWith(toml), reportOf(reportFacts()), "report-2026-11-16");
      assert.deepEqual(sent, { ok: true, to });
    });
});
