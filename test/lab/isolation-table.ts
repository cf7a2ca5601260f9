import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const TABLE = ["table", "inet", "ghostinbox_isolation"];

/** That the keeper puts the table of an isolated server back, and takes away one without an isolation. */
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

/** That a lift takes away a table that an interrupted one has left. */
export async function assertLiftRepeats({ lab, product }: Running): Promise<void> {
  await lab.server.mustExec(["nft", "add", ...TABLE]);
  await product.json(["incident", "recover", "--lift", "all"]);
  assert.doesNotMatch(await lab.server.mustExec(["nft", "list", "tables"]), /isolation/);
}
