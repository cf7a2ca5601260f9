import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { contentOf, modeOf, put } from "../../../test/kit/files.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { releaseLock, takeLock } from "../../host/running/data-directory.ts";
import {
  dropWhole,
  finishReplacing,
  finishRestore,
  isFixed,
  replaceContents,
  restoreLock,
  WORK,
  wholeBeside,
  wholeIn,
} from "./replace-contents.ts";

function prepared(): string {
  const data = join(temporaryDirectory(), "data");
  mkdirSync(join(data, "lost+found"), { recursive: true });
  put(join(data, "mail", "old"), "");
  put(join(data, "only-old"), "");
  put(join(wholeIn(data), "mail", "new"), "");
  return data;
}

function expectReplaced(data: string): void {
  assert.deepEqual(readdirSync(data).toSorted(), ["before", "lost+found", "mail"]);
  assert.deepEqual(readdirSync(join(data, "mail")), ["new"]);
  assert.deepEqual(readdirSync(join(data, "before")).toSorted(), ["mail", "only-old"]);
}

/** `killed-restore.machine.test.ts` kills a restore before each of its steps. */
describe("replacing the contents of a directory", () => {
  test("the present contents move aside, and the restored ones take their place", () => {
    const data = prepared();
    replaceContents(data, { aside: "before", keepsKey: true });
    expectReplaced(data);
    finishReplacing(data);
    expectReplaced(data);
    assert.equal(modeOf(join(data, "before")), 0o711, "the owners of its databases reach them");
  });

  test("unwanted contents are deleted", () => {
    const data = prepared();
    replaceContents(data, { aside: null, keepsKey: true });
    assert.deepEqual(readdirSync(data).toSorted(), ["lost+found", "mail"]);
  });

  test("a replacement that has not started is dropped, and nothing has changed", () => {
    for (const drop of [dropWhole, finishReplacing]) {
      const data = prepared();
      drop(data);
      assert.deepEqual(readdirSync(data).toSorted(), ["lost+found", "mail", "only-old"]);
      assert.deepEqual(readdirSync(join(data, "mail")), ["old"]);
    }
    const begun = prepared();
    const step = join(begun, WORK, "step.json");
    put(step, '{"step":"in","aside":"before"}');
    dropWhole(begun);
    assert.match(contentOf(step), /in/);
  });

  test("a start does not wait for a running restore, but reports it", () => {
    const data = prepared();
    mkdirSync(wholeBeside(data));
    takeLock(restoreLock(data));
    const refusal = /^SetUpFailure: A restore is running in \S+ \(pid \d+\): start the server once it has finished\.$/;
    assert.throws(() => finishRestore(data), refusal);
    assert.ok(existsSync(wholeBeside(data)));
    releaseLock(restoreLock(data));
    finishRestore(data);
    assert.deepEqual(readdirSync(data).toSorted(), ["lost+found", "mail", "only-old"]);
    assert.ok(!existsSync(wholeBeside(data)), "files of a killed one");
    mkdirSync(wholeBeside(`${data}-gone`));
    assert.equal(finishRestore(`${data}-gone`), false);
    assert.ok(!existsSync(wholeBeside(`${data}-gone`)), "it was not complete: it had not started the replacement");
  });

  test("distinguishes links and mount points from directories", () => {
    const top = temporaryDirectory();
    symlinkSync(top, join(top, "link"));
    mkdirSync(join(top, "plain"));
    const paths = [join(top, "link"), "/proc", join(top, "plain"), join(top, "missing")];
    assert.deepEqual(paths.map(isFixed), [true, true, false, false]);
  });
});
