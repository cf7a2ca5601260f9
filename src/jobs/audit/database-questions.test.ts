import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { record } from "../../../test/kit/test-database.ts";
import { auditRecord } from "../../core/events/command.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { openAccounts, openEngine } from "../../store/open.ts";
import { createDatabaseQuestions } from "./database-questions.ts";

const directory = temporaryDirectory();
/** The program with the tests' cache of compiled code, because it gets a clean environment. */
const PROGRAM = join(directory, "reader.mjs");
writeFileSync(
  PROGRAM,
  `import { enableCompileCache } from "node:module";
  enableCompileCache(${JSON.stringify(process.env["NODE_COMPILE_CACHE"] ?? directory)});
  await import(${JSON.stringify(join(import.meta.dirname, "../../programs/keeper/databases-main.ts"))});`,
);
/** A query that hangs: SQLite looks for ten million characters at each position of twenty million. */
const ENDLESS = "instr(hex(zeroblob(10000000)), hex(zeroblob(5000000)) || '1') || ''";

test("a separate process answers the keeper's questions; one that hangs is killed", async (t) => {
  const layout = { ...temporaryLayout("engineDb", "accountsDb"), node: process.execPath };
  const [db, accounts] = [openEngine(layout.engineDb), openAccounts(layout.accountsDb)];
  t.after(() => [db, accounts].forEach((one) => one.close()));
  const clock = new HandClock();
  record(new SqliteStore(db), auditRecord({ type: "ACCESS_REVIEWED", subject: "ada", by: "root" }, clock.now()));
  const ask = createDatabaseQuestions(layout, PROGRAM);
  const [checked, last, followed] = await Promise.all([
    ask.checkAudit(clock.now()),
    ask.lastAudited("ACCESS_REVIEWED"),
    ask.followed(),
  ]);
  assert.deepEqual([checked.first, checked.last, checked.fault], [1, 1, null]);
  assert.equal(Date.parse(last.at ?? ""), clock.now());
  assert.deepEqual(followed, []);

  db.exec(`DROP TABLE audit_entry; CREATE TABLE audit_entry (id, actor, type, subject, detail, previous, hash);
    INSERT INTO audit_entry (id) VALUES (1); ALTER TABLE audit_entry ADD COLUMN at AS (${ENDLESS})`);
  const hanging = createDatabaseQuestions(layout, PROGRAM, patience(700));
  const from = performance.now();
  await assert.rejects(hanging.checkAudit(clock.now()), /did not answer within [\d.]+ s$/);
  assert.ok(performance.now() - from < patience(15_000), "not only after the 30 s of any program");
});

test("the separate process is the first that the kernel kills if memory runs out", async () => {
  const layout = { ...temporaryLayout(), node: process.execPath };
  const program = join(layout.data, "reader.mjs");
  writeFileSync(
    program,
    `import { readFileSync } from "node:fs";
    process.on("exit", () => process.stderr.write(readFileSync("/proc/self/oom_score_adj")));
    await import(${JSON.stringify(PROGRAM)});`,
  );
  await assert.rejects(createDatabaseQuestions(layout, program).followed(), /^Error: 800$/);
});

test("a question without an answer is rejected with the reason", async () => {
  const layout = { ...temporaryLayout(), node: process.execPath };
  await assert.rejects(createDatabaseQuestions(layout, PROGRAM).followed(), /accounts\.db does not exist yet/);
});
