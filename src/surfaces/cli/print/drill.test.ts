import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { endDrill } from "../../../jobs/backup/records.ts";
import { shownLastDrill } from "./drill.ts";

test("one line about the last restore drill, whatever its result; nothing before the first", () => {
  const layout = temporaryLayout("backupDrills");
  assert.equal(shownLastDrill(layout), null);
  const at = Date.UTC(2026, 10, 21, 3, 0, 0);
  const none = { queued: 0, aliases: 0, bans: 0, tokens: 0, gone: 0, different: 0, server: null };
  const found = { mails: 7, mailboxes: 1, accounts: 1, same: 7, ...none };
  const drill = { at, tookMs: 4_200, snapshot: "0123abcd", madeAt: at - 60_000, reason: null, found };
  endDrill(layout, drill);
  assert.equal(
    shownLastDrill(layout)?.text,
    "Last restore drill: 2026-11-21 03:00:00 UTC, 7 mails of 0123abcd in 5 s, all right.",
  );
  endDrill(layout, { ...drill, at: at + 60_000, reason: "it is damaged", found: null });
  const failed = shownLastDrill(layout);
  assert.equal(failed?.text, "Last restore drill: 2026-11-21 03:01:00 UTC, failed: it is damaged.");
  assert.equal(failed.json.ok, false);
  writeFileSync(layout.backupDrills, "no record");
  assert.equal(shownLastDrill(layout), null);
});
