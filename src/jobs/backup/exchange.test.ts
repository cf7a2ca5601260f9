import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { releaseLock, takeLock } from "../../host/running/data-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { exchange, finishRestore, isExchanging, wholeBeside } from "./replace-contents.ts";
import { refusal } from "./restore.ts";

/** A server with backups, and beside it a complete restored one. */
function prepared(): Readonly<{ data: string; aside: string }> {
  const data = join(temporaryDirectory(), "data");
  const layout = layoutOf(data);
  for (const path of [join(data, "mail"), layout.backupRepository, join(wholeBeside(data), "backup")])
    mkdirSync(path, { recursive: true });
  for (const path of [join(data, "only-old"), layout.backupKey, join(wholeBeside(data), "new")]) put(path);
  return { data, aside: `${data}.before` };
}

/** The state after a restore that was killed at once. */
function marked({ data, aside }: ReturnType<typeof prepared>): void {
  put(`${data}.restoring-step`, JSON.stringify({ aside, keepsKey: true }));
}

function expectExchanged({ data, aside }: ReturnType<typeof prepared>): void {
  assert.deepEqual(readdirSync(data).toSorted(), ["backup", "new"]);
  assert.ok(existsSync(layoutOf(data).backupRepository) && existsSync(layoutOf(data).backupKey), "the backups follow");
  assert.ok(existsSync(join(aside, "only-old")));
  assert.deepEqual([existsSync(wholeBeside(data)), isExchanging(data)], [false, false]);
}

/** `killed-restore.machine.test.ts` kills a restore before each of its steps. */
describe("a restored directory takes its place", ROOT, () => {
  test("the former directory moves aside", () => {
    const server = prepared();
    exchange(server.data, { aside: server.aside, keepsKey: true });
    expectExchanged(server);
  });

  test("a restore is refused while a start prepares the former directory", () => {
    const layout = layoutOf(prepared().data);
    takeLock(layout.startPid);
    assert.match(refusal(layout, true) ?? "", /^The server in \S+ is running: stop it with /);
    releaseLock(layout.startPid);
    assert.doesNotMatch(refusal(layout, true) ?? "", /is running/);
  });

  test("an exchange killed between its two moves is finished by the next start, even if something made an empty directory", () => {
    const server = prepared();
    marked(server);
    renameSync(server.data, server.aside);
    mkdirSync(join(server.data, "run"), { recursive: true });
    assert.equal(finishRestore(server.data), true);
    expectExchanged(server);
    assert.equal(finishRestore(server.data), false);
    expectExchanged(server);
  });

  test("if a different server has started since, nothing is deleted, and the start names both places", () => {
    const server = prepared();
    marked(server);
    renameSync(server.data, server.aside);
    put(join(server.data, "ghostinbox.toml"), "");
    const refusal = /^SetUpFailure: A restore was interrupted, and .* what was restored, and /;
    assert.throws(() => finishRestore(server.data), refusal);
    for (const path of [wholeBeside(server.data), server.aside, server.data]) assert.ok(existsSync(path), path);
  });

  test("without a readable record of the next step, nothing starts and nothing is deleted", () => {
    const { data, aside } = prepared();
    put(`${data}.restoring-step`, "{");
    renameSync(data, aside);
    assert.throws(() => finishRestore(data), /^SetUpFailure: A restore or rollback was interrupted/);
    for (const path of [wholeBeside(data), aside]) assert.ok(existsSync(path), path);
  });

  test("a directory that cannot be moved leaves everything unchanged", () => {
    const { data, aside } = prepared();
    assert.throws(() => exchange(data, { aside: join(aside, "missing", "x"), keepsKey: true }));
    assert.ok(existsSync(join(data, "only-old")) && !isExchanging(data));
  });
});
