import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import type { Isolation } from "../../core/incident/incident.ts";
import { layoutOf } from "../../settings/layout.ts";
import { loadSettings } from "../../settings/load.ts";
import { isolatedPorts, keepIsolation, readIsolation } from "./isolation.ts";

const ISOLATION: Isolation = { incident: "x", since: "", allow: [], ssh: [22], shut: ["send"] };

test("the isolation is kept until it is lifted; an unreadable file isolates", () => {
  const layout = layoutOf(temporaryDirectory());
  assert.equal(readIsolation(layout), null);
  keepIsolation(layout, ISOLATION);
  assert.deepEqual(readIsolation(layout), ISOLATION);
  writeFileSync(join(layout.isolation), "{");
  assert.deepEqual(readIsolation(layout)?.shut, ["receive", "sign-in", "send"]);
  keepIsolation(layout, null);
  assert.equal(readIsolation(layout), null);
});

test("the ports for proxies are closed with their counterparts", () => {
  const of = (toml: string) => {
    const loaded = loadSettings(`domains = ["example.org"]\n${toml}`, {});
    return loaded.ok ? isolatedPorts(loaded.settings) : assert.fail(loaded.problems.map(({ says }) => says).join());
  };
  const usual = { smtp: [25], signIn: [587, 465, 993, 3000], relay: null };
  assert.deepEqual(of(""), usual);
  const second = { smtp: [25, 20_025], signIn: [...usual.signIn, 20_587, 20_465, 20_993] };
  assert.deepEqual(of('proxy.networks = ["10.0.0.5"]'), { ...usual, ...second });
});
