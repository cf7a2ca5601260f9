import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMPONENTS } from "./packages.ts";

test("every package of a component is one that set-up installs", () => {
  const setUp = readFileSync(join(import.meta.dirname, "../../../scripts/setup"), "utf8");
  for (const name of Object.values(COMPONENTS).flat()) assert.match(setUp, new RegExp(`^${name}\\|`, "m"), name);
});
