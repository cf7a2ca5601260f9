import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { lacking } from "../../../../test/kit/needs.ts";
import { noteProcess } from "../../../../test/kit/supervised-process.ts";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { openAccounts, openEngine } from "../../../store/open.ts";
import { createLockWatch, createReaderWatch } from "./watch-locks.ts";

const SQLITE3 = { skip: lacking({ installed: ["sqlite3"] }) };

/** A watch over new databases of a guard that `node` runs, if that is known. `lookLater`: reports a lock of four seconds. */
function lockWatch(node = "") {
  const layout = { ...temporaryLayout("engineDb", "accountsDb"), node };
  openEngine(layout.engineDb).close();
  openAccounts(layout.accountsDb).close();
  const clock = new HandClock();
  const watch = createLockWatch(layout, clock);
  const lookLater = () => {
    watch.look();
    clock.advance(4 * SECOND_MS);
    return watch.troubles();
  };
  return { layout, clock, watch, lookLater };
}

/** A program that runs sqlite3, which keeps its database locked until its input ends. */
async function locking(program: string, ...argv: readonly string[]) {
  const locker = spawn(program, argv, { stdio: ["pipe", "pipe", "inherit"] });
  locker.stdin.write("BEGIN EXCLUSIVE;\nSELECT 'locked';\n");
  await once(locker.stdout, "data");
  return locker;
}

test("a program that locks a database is named, with a command that ends it, until it ends", SQLITE3, async () => {
  // This process writes, as the guard does.
  const { layout, watch, lookLater } = lockWatch(process.execPath);
  using own = openEngine(layout.engineDb);
  own.exec("BEGIN IMMEDIATE");
  assert.deepEqual(lookLater(), [], "the guard's own transaction is none");
  own.exec("ROLLBACK");

  for (const database of [layout.engineDb, layout.accountsDb]) {
    const locker = await locking("sqlite3", database);
    watch.look();
    assert.deepEqual(watch.troubles(), [], "it may end on its own");
    const [trouble] = lookLater();
    assert.equal(trouble?.code, "database_locked");
    const said = `^pid ${locker.pid}, \`sqlite3 .*\`, has locked ${basename(database)} since 20.*Z\\. Try: kill ${locker.pid}$`;
    assert.match(trouble.detail, new RegExp(said));
    locker.stdin.end("ROLLBACK;\n.quit\n");
    await once(locker, "close");
    assert.deepEqual(lookLater(), [], "it has ended");
  }
});

test("a report of one lock names a second that has lasted two seconds: only one alert is sent", SQLITE3, async (t) => {
  const { layout, clock, watch } = lockWatch();
  const lock = async (database: string): Promise<void> => {
    const locker = await locking("sqlite3", database);
    t.after(() => locker.stdin.end());
    watch.look();
  };
  await lock(layout.engineDb);
  clock.advance(2 * SECOND_MS);
  await lock(layout.accountsDb);
  clock.advance(SECOND_MS);
  assert.deepEqual(watch.troubles(), []);
  clock.advance(SECOND_MS);
  assert.match(watch.troubles()[0]?.detail ?? "", /locked engine\.db .*locked accounts\.db /);
  clock.advance(-60 * SECOND_MS);
  assert.equal(watch.troubles().length, 1, "even if the clock was set back");
});

const PYTHON = "/usr/bin/python3";
/** Another user's program that may only read a file, descriptor 3, and shares a lock on a byte of it until its input ends. */
const SHARING = `import fcntl, struct, sys
byte, command = int(sys.argv[1]), int(sys.argv[2])
fcntl.fcntl(3, command, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, byte, 1, 0))
print(flush=True)
sys.stdin.read()`;
const [OF_PROCESS, OF_OPEN_FILE] = [6, 37];

/** Calls back while it runs. */
async function sharing(path: string, byte: number, command: number, run: (pid: number | undefined) => void) {
  const file = openSync(path, "r");
  const words = ["--reuid=65534", "--clear-groups", PYTHON, "-c", SHARING, `${byte}`, `${command}`];
  const sharer = spawn("setpriv", words, { stdio: ["pipe", "pipe", "inherit", file], cwd: "/" });
  closeSync(file);
  try {
    await once(sharer.stdout ?? sharer, "data");
    run(sharer.pid);
  } finally {
    sharer.stdin?.end();
    await once(sharer, "close");
  }
}

test("a user who may only read a database is named too while its locks keep the guard from writing", {
  skip: lacking({ root: true, installed: [PYTHON] }),
}, async () => {
  // Python acts as Node, with which the web runs.
  const { layout, lookLater } = lockWatch(realpathSync(PYTHON));
  using own = openEngine(layout.engineDb);
  own.exec("BEGIN IMMEDIATE; COMMIT");
  for (const command of [OF_PROCESS, OF_OPEN_FILE])
    for (const byte of [120, 121])
      await sharing(`${layout.engineDb}-shm`, byte, command, (pid) => {
        if (byte === 120) assert.throws(() => own.exec("BEGIN IMMEDIATE"), /locked/);
        const [trouble] = lookLater();
        assert.match(trouble?.detail ?? "", new RegExp(`^pid ${pid}, .* has locked engine.db since`));
      });
  const reader = createReaderWatch(layout, 1);
  own.exec("INSERT INTO allow_entry (prefix, note, by, at) VALUES ('192.0.2.1/32', '', 'root', 1)");
  for (const byte of [128, 123])
    await sharing(`${layout.engineDb}-shm`, byte, OF_PROCESS, (pid) => {
      for (let i = 0; i < 3; i++) reader.look();
      const [trouble] = reader.troubles();
      assert.equal(trouble?.detail.includes(`pid ${pid}: `) ?? false, byte === 123);
    });
});

test("neither the guard nor its children are named, even if no process's program can be read", SQLITE3, async () => {
  const { layout, lookLater } = lockWatch();
  // The shell acts as the guard, and sqlite3 as its maintenance.
  const shell = await locking("sh", "-c", `sqlite3 ${layout.engineDb}; true`);
  assert.equal(lookLater().length, 1, "no guard runs");
  noteProcess(layout.services, "guard", shell.pid);
  assert.deepEqual(lookLater(), []);
  shell.stdin.end("ROLLBACK;\n.quit\n");
  await once(shell, "close");
});

test("a program that reads on while the log grows is named by pid and command until it ends", SQLITE3, async () => {
  // This process writes, as the guard does.
  const { layout } = lockWatch(process.execPath);
  using db = openEngine(layout.engineDb);
  db.exec("INSERT INTO allow_entry (prefix, note, by, at) VALUES ('192.0.2.1/32', '', 'root', 1)");
  const watch = createReaderWatch(layout, 1);
  const reader = spawn("sqlite3", [layout.engineDb], { stdio: ["pipe", "pipe", "inherit"] });
  reader.stdin.write("BEGIN; SELECT count(*) FROM allow_entry;\n");
  await once(reader.stdout, "data");
  const large = createReaderWatch(layout);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(watch.troubles(), []);
    watch.look();
    large.look();
  }
  const named = { code: "database_reader", detail: `pid ${reader.pid}: sqlite3 ${layout.engineDb}` };
  assert.deepEqual(watch.troubles(), [named]);
  assert.deepEqual(large.troubles(), [], "a short log is not reported");
  reader.stdin.end(".quit\n");
  await once(reader, "close");
  watch.look();
  assert.deepEqual(watch.troubles(), []);
});
