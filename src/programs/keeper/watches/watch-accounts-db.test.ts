import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../../settings/layout.ts";
import { AccountsDbWatch } from "./guard-looks.ts";

test("Postfix and Dovecot are reloaded once for each new file, and not while it is missing", async () => {
  const layout = layoutOf(temporaryDirectory());
  mkdirSync(dirname(layout.accountsDb), { recursive: true });
  writeFileSync(layout.accountsDb, "first");
  const reloaded: string[] = [];
  const watch = new AccountsDbWatch(layout, (service) => {
    reloaded.push(service);
    return Promise.resolve(service === "dovecot" ? "it hangs" : null);
  });
  assert.deepEqual(await watch.look(), []);
  writeFileSync(`${layout.accountsDb}.new`, "second");
  rmSync(layout.accountsDb);
  assert.deepEqual(await watch.look(), []);
  renameSync(`${layout.accountsDb}.new`, layout.accountsDb);
  assert.deepEqual(await watch.look(), ["dovecot could not be reloaded after accounts.db was replaced: it hangs"]);
  assert.deepEqual(await watch.look(), []);
  assert.deepEqual(reloaded, ["postfix", "dovecot"]);
});
