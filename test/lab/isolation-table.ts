import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const TABLE = ["table", "inet", "ghostinbox_isolation"];

/** Checks that the keeper restores the table of an isolated server, and removes one without an isolation. */
export async function assertTableFollows({ lab, product }: Running): Promise<void> {
  const { isolation } = product.layout;
  const isThere = async (): Promise<boolean> => (await lab.server.exec(["nft", "list", ...TABLE])).code === 0;
  await lab.server.mustExec(["nft", "delete", ...TABLE]);
  await until("the keeper puts it back", isThere);
  renameSync(isolation, `${isolation}.away`);
  await until("the keeper takes away what is left of an isolation", async () => !(await isThere()));
  renameSync(`${isolation}.away`, isolation);
  await until("the keeper puts it back again", isThere);
}

/** Checks that a lift removes the table left by an interrupted one. */
export async function assertLiftRepeats({ lab, product }: Running): Promise<void> {
  await lab.server.mustExec(["nft", "add", ...TABLE]);
  await product.json(["incident", "recover", "--lift", "all"]);
  assert.doesNotMatch(await lab.server.mustExec(["nft", "list", "tables"]), /isolation/);
}
