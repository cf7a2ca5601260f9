import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { servedPort, silent } from "../../../test/kit/served.ts";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { unlessCrowded } from "./exchange.ts";

const HANGS: ProbeResult = { ok: false, hangs: true, says: "gave no answer" };

test("a silent port hangs, unless two thirds of its places are taken", async (t) => {
  const port = await servedPort(silent);
  for (let i = 0; i < 2; i++) {
    const client = connect(port, "127.0.0.1");
    t.after(() => client.destroy());
    await once(client, "connect");
  }
  assert.deepEqual(unlessCrowded(HANGS, port, 4), HANGS);
  const crowded = { ok: false, hangs: false, says: "gave no answer while most of its places are taken" };
  assert.deepEqual(unlessCrowded(HANGS, port, 3), crowded);
  assert.deepEqual(unlessCrowded({ ok: true }, port, 1), { ok: true });
});
