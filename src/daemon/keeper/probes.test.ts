import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { SERVICES } from "../../render/runit.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { loadSettings } from "../../settings/load.ts";
import { type Probe, probesOf } from "./probes.ts";

function tableOf(layout: Layout): readonly Probe[] {
  const loaded = loadSettings('domains = ["example.org"]\n', {});
  assert.ok(loaded.ok);
  return probesOf(layout, loaded.settings);
}

test("every service is asked to work, but for the guard and the keeper, which ask each other", () => {
  const probed = new Set(tableOf(layoutOf("/data")).map(({ service }) => service));
  // What asks spamd goes through spam-head.
  const others = ["guard", "keeper", "spam-head"];
  assert.deepEqual(
    SERVICES.filter((service) => !probed.has(service)),
    others,
  );
});

test("each probe has a name of its own, and gives up before it is due again", () => {
  const table = tableOf(layoutOf("/data"));
  assert.equal(new Set(table.map(({ name }) => name)).size, table.length);
  for (const { name, everyMs, timeoutMs } of table) assert.ok(timeoutMs < everyMs, name);
});

test("Postgrey is asked where its command is rendered, not where something sleeps in its place", () => {
  const layout = layoutOf(temporaryDirectory());
  const isWanted = tableOf(layout).find(({ service }) => service === "postgrey")?.isWanted;
  assert.equal(isWanted?.(), false);
  mkdirSync(layout.postgreyConf, { recursive: true });
  const command = join(layout.postgreyConf, "command");
  writeFileSync(command, "exec sleep infinity\n");
  assert.equal(isWanted?.(), false);
  writeFileSync(command, `exec postgrey --unix=${layout.greylistSocket}\n`);
  assert.equal(isWanted?.(), true);
});

test("a part that is not there fails its probe, and none throws", async () => {
  const layout = layoutOf(temporaryDirectory());
  const ofFiles = tableOf(layout).filter(({ name }) => !/resolver|port$|dashboard/.test(name));
  for (const { name, check } of ofFiles) {
    const result = await check(1_000);
    assert.deepEqual(result, { ok: false, hangs: false, says: "cannot be reached (ENOENT)" }, name);
  }
});
