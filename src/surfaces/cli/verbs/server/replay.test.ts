import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connected, readerWith, scriptCall } from "../../../../../test/kit/script-world.ts";
import { commandLineOf } from "../../../../../test/kit/test-guard.ts";
import { releaseLock, takeLock } from "../../../../host/running/data-directory.ts";
import { failed, type Reader } from "../../call.ts";
import { configSimulate } from "./replay.ts";

const { layout } = commandLineOf(import.meta.filename);

test("variables of the caller count only while the server is down, because a running one does not have them", async () => {
  const file = join(layout.data, "other.toml");
  writeFileSync(file, 'domains = ["example.org"]\n');
  const limits: unknown[] = [];
  const replay: Reader["replay"] = ({ policy }) => {
    limits.push(policy.mail[0]?.count);
    return Promise.reject(new Error("it was asked"));
  };
  const { guard } = connected({ guard: { ask: () => Promise.resolve(failed("It is not known.", "")) } });
  const env = { GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "7" };
  const simulate = () =>
    assert.rejects(configSimulate(scriptCall({ layout, args: [file], env, guard, reader: readerWith({ replay }) })));
  await simulate();
  takeLock(layout.startPid);
  await simulate();
  releaseLock(layout.startPid);
  assert.deepEqual(limits, [7, 10]);
});
