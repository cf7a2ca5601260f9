import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SetUpFailure } from "./failure.ts";
import { lockHolder, releaseLock, takeLock } from "./lock.ts";

const directory = mkdtempSync(join(tmpdir(), "ghostinbox-lock-"));
after(() => rmSync(directory, { recursive: true, force: true }));

test("a second start is told who runs", () => {
  const file = join(directory, "run", "start.pid");
  takeLock(file, "/srv/mail");
  assert.equal(lockHolder(file), process.pid);
  assert.throws(
    () => takeLock(file, "/srv/mail"),
    new SetUpFailure(`GhostInbox is already running (pid ${process.pid}, data /srv/mail).`),
  );
  releaseLock(file);
  assert.equal(lockHolder(file), null);
});

for (const [what, text] of [
  ["a process that is gone", "4194305 12345"],
  ["a pid that another process has now", `${process.pid} 1`],
  ["nothing", ""],
  ["nonsense", "me too\n"],
] as const)
  test(`a lock that names ${what} is taken over`, () => {
    const file = join(directory, "stale.pid");
    writeFileSync(file, text);
    takeLock(file, "/srv/mail");
    assert.equal(lockHolder(file), process.pid);
    releaseLock(file);
  });
