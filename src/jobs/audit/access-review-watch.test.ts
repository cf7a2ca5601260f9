import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { scratch } from "../../../test/kit/test-database.ts";
import { auditRecord } from "../../core/events/command.ts";
import type { AuditType } from "../../core/events/event-types.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { layoutOf } from "../../settings/layout.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { lastAudited } from "../../store/events/audit.ts";
import { openEngine } from "../../store/open.ts";
import { AccessReviewWatch } from "./audit-watch.ts";

test("a review is overdue 90 days after the last one, or after the audit's start; a signature ends that at once", async (t) => {
  const layout = layoutOf(scratch(t));
  mkdirSync(dirname(layout.engineDb), { recursive: true });
  const clock = new HandClock();
  const databases = { lastAudited: async (type: string) => lastAudited(layout.engineDb, type) };
  const watch = new AccessReviewWatch(databases, clock, { "audit.review_every": 90 * DAY_MS });
  await assert.rejects(() => watch.look(), /engine\.db/, "there is no database yet");
  const db = openEngine(layout.engineDb);
  t.after(() => db.close());
  const store = new SqliteStore(db);
  const audit = (type: AuditType): void => {
    store.begin();
    store.append(auditRecord({ type, subject: "x", by: "root" }, clock.now()));
    store.commit();
  };
  const after = async (ms: number): Promise<readonly string[]> => {
    clock.advance(ms);
    await watch.look();
    return watch.troubles().map(({ detail }) => detail);
  };
  assert.deepEqual(await after(100 * DAY_MS), [], "the audit is empty");
  audit("SETTINGS_APPLIED");
  const began = new Date(clock.now()).toISOString().slice(0, 10);
  assert.deepEqual(await after(90 * DAY_MS - HOUR_MS), []);
  assert.deepEqual(await after(HOUR_MS), [`there was none since ${began}`]);
  audit("ACCESS_REVIEWED");
  const signed = new Date(clock.now()).toISOString().slice(0, 10);
  assert.deepEqual(await after(MINUTE_MS), []);
  audit("SETTINGS_APPLIED");
  assert.deepEqual(await after(90 * DAY_MS), [`the last review is of ${signed}`]);
  watch.use({ "audit.review_every": 0 });
  assert.deepEqual(watch.troubles(), []);
});
