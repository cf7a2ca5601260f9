import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { MAIL, STRANGER } from "../../test/kit/samples.ts";
import { ecsOf } from "../core/events/ecs.ts";
import type { ClientEvent } from "../core/events/event.ts";
import { instant } from "../core/time.ts";
import { sqliteAlertEvents } from "./engine-db/alerts.ts";
import { sqliteEventSearch } from "./events/event-search.ts";
import { sqliteEventTally } from "./events/event-tally.ts";
import { sqliteFigures } from "./events/figures.ts";

const MAILS = 12;

test("simulated bans and refusals are marked, and no figure or alert counts them", async () => {
  const { engine, db } = engineOnMemory({ ...TEST_POLICY, simulate: true });
  const asked = async (event: ClientEvent): Promise<void> => {
    const decided = engine.ask(event);
    engine.commit();
    await decided;
  };
  for (let i = 0; i < MAILS; i++) await asked({ type: "DATA", recipientCount: 1, ...MAIL });
  await asked({ type: "LOGIN_ASKED", ip: STRANGER, service: "imap", login: "anna@example.test", passwordHash: "" });

  const { items } = sqliteEventSearch(db, 10_000).find({ most: 100, order: "oldest_first" });
  const of = (type: string) => items.filter((item) => item.type === type).map(({ simulated }) => simulated);
  assert.deepEqual([of("BAN"), of("LOGIN_REFUSED")], [["ban"], ["refuse"]]);
  assert.ok(of("EMAIL").includes("refuse") && of("EMAIL").includes(null));

  const counted = { EMAIL: MAILS };
  const figures = sqliteFigures(db);
  assert.deepEqual([figures.totals(instant(0)), figures.totals(null)], [{}, counted]);
  assert.equal(figures.topIps(instant(0), 1)[0]?.rejected, 0);
  const tally = sqliteEventTally(db);
  while (tally.step());
  assert.deepEqual(figures.top("refusals", instant(0), 1), []);
  assert.deepEqual(sqliteAlertEvents(db).between(0, 1_000), []);

  const [ban] = items.filter(({ type }) => type === "BAN").map(ecsOf);
  const exported = [ban?.["labels.simulated"], ban?.["event.type"], ban?.["event.outcome"]];
  assert.deepEqual(exported, ["ban", ["info", "start"], "unknown"]);
});
