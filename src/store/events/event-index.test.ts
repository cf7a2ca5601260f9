import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  columnOf,
  engineDatabase,
  eventRow,
  PATIENT_MS,
  record,
  retain,
  START,
} from "../../../test/kit/test-database.ts";
import { type Audit, auditRecord } from "../../core/events/command.ts";
import type { EventRecord } from "../../core/events/event.ts";
import { DAY_MS, later } from "../../core/time.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { EventCount } from "./event-ids.ts";
import { sqliteEventNames } from "./event-index.ts";
import { sqliteEventSearch } from "./event-search.ts";

function fresh(t: TestContext) {
  const { db, reader } = engineDatabase(t);
  const events = new EventCount(db);
  const store = new SqliteStore(db, events);
  const append = (...records: readonly EventRecord[]) => record(store, ...records);
  const entered = () => columnOf(db, "SELECT role || ' ' || name || ' ' || id FROM event_name WHERE role < 4");
  const [names, search] = [sqliteEventNames(db), sqliteEventSearch(reader, PATIENT_MS)];
  return { db, events, store, append, entered, names, search };
}

const named = (changes: Partial<EventRecord>): EventRecord => eventRow("203.0.113.7", START, changes);
const audited = (audit: Audit): EventRecord => auditRecord(audit, START);

test("each name of an event is indexed once, people in lower case, Message-IDs without their brackets", (t) => {
  const { append, entered, names } = fresh(t);
  append(
    named({ account: "Anna@Example.test", recipient: "anna@example.test", sender: "x@sender.test" }),
    named({ queueId: "72CED1EABE5", messageId: "<One@sender.test>" }),
    named({ messageId: "no brackets", account: "", recipient: "", queueId: "" }),
    audited({ type: "ALIAS_ADDED", subject: "Info@x.test", targets: ["A@x.test", "b@x.test"], by: "root" }),
    named({}),
  );
  assert.equal(names.step(5), true, "there may be more");
  assert.equal(names.step(5), false);
  const people = ["1 a@x.test 4", "1 anna@example.test 1", "1 b@x.test 4", "1 info@x.test 4"];
  assert.deepEqual(entered(), [...people, "2 72CED1EABE5 2", "3 One@sender.test 2", "3 no brackets 3"]);
});

// event-search.test.ts tests that a search finds all events in any order, page by page, indexed or not.
test("a search by account finds changes to it and mail for it, and no forged sender", (t) => {
  const { append, search } = fresh(t);
  const anna = "anna@example.test";
  const news = "news@letters.test";
  append(
    audited({ type: "SPAM_ALLOW_ADDED", subject: `${news} for ${anna}`, account: anna, sender: news, by: "root" }),
    audited({ type: "ALIAS_ADDED", subject: "info@example.test", targets: [anna], by: "root" }),
    audited({ type: "NETWORKS_CHANGED", subject: `${anna} from anywhere`, account: anna, by: "root" }),
    named({ sender: `"> to=<${anna}>"@forged.test`, recipient: "bert@example.test" }),
    named({ sender: anna, recipient: "bert@example.test" }),
    named({ messageId: `<${anna}>` }),
    audited({ type: "ACCOUNT_ADDED", subject: `jo${anna}`, by: "root" }),
    named({ recipient: "Anna@Example.test" }),
  );
  const ids = (filter: object) => search.find({ most: 9, order: "oldest_first", ...filter }).items.map(({ id }) => id);
  assert.deepEqual(ids({ account: anna }), [1, 2, 3, 8]);
  assert.deepEqual(ids({ mail: anna }), [6]);
  assert.deepEqual(ids({ mail: `<${anna}>` }), [6]);
});

test("names are removed with their events, whether they were indexed or not", (t) => {
  const { append, db, events, entered, names, store } = fresh(t);
  const now = later(START, 3 * DAY_MS);
  append(...Array.from({ length: 6 }, (_, i) => named({ recipient: `user${i}@example.test`, counts: null })));
  append({ ...named({ account: "new@example.test" }), at: now });
  names.step(4);
  store.indexWaiting();
  retain(db, now, events);
  assert.equal(events.rows, 1);
  assert.deepEqual(entered(), []);
  names.step();
  assert.deepEqual(entered(), ["1 new@example.test 7"]);
});

test("names that cannot be written are indexed later", (t) => {
  const { append, db, entered, names } = fresh(t);
  append(named({ account: "anna@example.test" }));
  db.exec("CREATE TRIGGER full BEFORE UPDATE ON event_indexed BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
  assert.throws(() => names.step(), /disk is full/);
  assert.deepEqual([db.isTransaction, entered()], [false, []]);
  db.exec("DROP TRIGGER full");
  names.step();
  assert.deepEqual(entered(), ["1 anna@example.test 1"]);
});
