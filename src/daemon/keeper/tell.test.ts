import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { settings } from "../../../test/kit/upkeep-kit.ts";
import { layoutOf } from "../../settings/layout.ts";
import { tell } from "./tell.ts";

const layout = layoutOf(temporaryDirectory());
const troubles = { all: [{ code: "audit_broken", detail: "entry 3 differs" }], certificate: [] } as const;

test("root's records are told while the settings cannot be read, the rest is not", async () => {
  const known = { layout, read: { ok: false, reason: "Line 3 is wrong." }, troubles } as const;
  const told = await tell("upkeep", known);
  assert.ok(told.ok);
  assert.partialDeepStrictEqual(
    told.upkeep?.find(({ name }) => name === "audit"),
    { state: "down" },
  );
  for (const about of ["certificate", "dkim_keys"] as const)
    assert.deepEqual(await tell(about, known), { ok: false, reason: "Line 3 is wrong." });
  assert.partialDeepStrictEqual(await tell("incidents", known), { ok: true, incidents: { incidents: [] } });
});

test("each question has its own answer", async () => {
  const known = { layout, read: { ok: true, settings }, troubles } as const;
  const keys = await tell("dkim_keys", known);
  assert.ok(keys.ok && keys.dkimKeys?.length === 2 && keys.upkeep === undefined);
  assert.deepEqual(await tell("certificate", known), { ok: false, reason: "No certificate is in use yet." });
});
