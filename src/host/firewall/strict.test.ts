import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { door, opening } from "../../../test/kit/samples.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { UNCONFIRMED } from "../../core/firewall/strict.ts";
import type { Outcome } from "../../guard/ports.ts";
import { keepStrict, readStrict, startStrict } from "./strict.ts";

test("the confirmed state is kept until it ends, and an unreadable file confirms nothing", () => {
  const layout = { strictFirewall: join(temporaryDirectory(), "firewall.json") };
  assert.deepEqual(readStrict(layout), UNCONFIRMED);
  const state = { confirmed: opening(["22/tcp"], ["wg0"]), trial: null };
  keepStrict(layout, state);
  assert.deepEqual(readStrict(layout), state);
  writeFileSync(layout.strictFirewall, "{");
  assert.deepEqual(readStrict(layout), UNCONFIRMED);
  keepStrict(layout, UNCONFIRMED);
  assert.ok(!existsSync(layout.strictFirewall));
});

const OPEN = opening(["25/tcp"]);
const SSH = door("2222/tcp");

test("only the confirmed firewall is in force from the start, with the current SSH ports", async () => {
  const layout = temporaryLayout();
  const started = async (mode: string | null, outcome: Outcome = { ok: true }, isAnothers = false) => {
    const doors: (readonly string[] | null)[] = [];
    const says = await startStrict(layout, mode === null ? null : settingsWith(`firewall.mode = "${mode}"\n`), {
      isAnothers: () => isAnothers,
      ssh: () => Promise.resolve([SSH]),
      load: (loaded) => {
        doors.push(loaded && loaded.doors);
        return Promise.resolve(outcome);
      },
    });
    return { says, doors };
  };
  assert.deepEqual(await started("bans"), { says: null, doors: [null] });
  keepStrict(layout, { confirmed: null, trial: { opening: OPEN, connections: [] } });
  assert.deepEqual(await started(null), { says: null, doors: [] }, "the kernel ends a trial");
  const unconfirmed = await started("strict");
  assert.match(unconfirmed.says ?? "", /because it was not confirmed/);
  assert.deepEqual([unconfirmed.doors, readStrict(layout)], [[null], UNCONFIRMED], "a trial has ended");
  keepStrict(layout, { confirmed: OPEN, trial: null });
  const doors = ["25/tcp", "465/tcp", "587/tcp", "993/tcp", "2222/tcp"];
  assert.deepEqual(await started("strict"), { says: null, doors: [doors] });
  assert.deepEqual((await started(null)).doors, [["25/tcp", "2222/tcp"]], "before the settings are read");
  assert.match((await started("strict", { ok: false, reason: "nft failed" })).says ?? "", /not strict: nft failed/);
  const anothers = await started("strict", { ok: true }, true);
  assert.match(anothers.says ?? "", /not strict: the server of another data directory runs here/);
  assert.deepEqual(anothers.doors, [], "its table is not touched");
  assert.equal((await started("bans", { ok: true }, true)).says, null);
});
