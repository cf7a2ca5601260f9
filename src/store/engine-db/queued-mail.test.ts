import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { DELIVERED } from "../../../test/kit/samples.ts";
import { rowsOf } from "../../../test/kit/test-database.ts";
import type { Observation } from "../../core/events/log.ts";
import { sqliteEventNames } from "../events/event-index.ts";

const { queueId } = DELIVERED;
const QUEUED = { type: "MAIL_QUEUED", queueId, messageId: "<a@b.test>" } as const;
const EXPIRED = { type: "MAIL_EXPIRED", queueId, outcome: "expired" } as const;
const DEFERRED: typeof DELIVERED = { ...DELIVERED, outcome: "deferred", relay: "smtp mx.test" };
const tried = (recipient: string, about = {}): Observation => ({ ...DEFERRED, recipient, ...about });

for (const isIndexed of [false, true])
  test(`a mail that expires fails for each recipient that is still waiting, ${isIndexed ? "by the index" : "at once"}`, async () => {
    const { engine, db } = engineOnMemory();
    const of = { alias: "info@example.test" };
    const tries = [
      tried("earlier@else.test"),
      QUEUED,
      tried("alias@else.test", of),
      tried("anna@example.test", { relay: "lmtp private/lmtp" }),
      tried("eve@else.test"),
      tried("later@else.test"),
      tried("refused@else.test", { outcome: "bounced" }),
      tried("later@else.test", { outcome: "sent" }),
      tried("anna@example.test", { relay: "error none" }),
    ];
    await engine.observe("mail", { inode: "1", offset: 1 }, isIndexed ? tries : [...tries, EXPIRED]);
    engine.commit();
    while (sqliteEventNames(db).step());
    if (isIndexed) await engine.observe("mail", { inode: "1", offset: 2 }, [EXPIRED]);
    engine.commit();
    const sql =
      "SELECT verdict, recipient, rest ->> '$.alias' FROM event WHERE rest ->> '$.outcome' = 'expired' ORDER BY recipient";
    assert.deepEqual(rowsOf(db, sql), [
      ["lose", "alias@else.test", "info@example.test"],
      ["lose", "anna@example.test", null],
      ["refuse", "eve@else.test", null],
    ]);
    assert.deepEqual(rowsOf(db, "SELECT * FROM refusal"), [], "no server refused it");
  });
