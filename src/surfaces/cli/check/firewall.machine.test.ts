import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { lacking } from "../../../../test/kit/needs.ts";
import { net } from "../../../../test/kit/samples.ts";
import { nftReset, onlyBans, TABLE, type TableShape } from "../../../host/firewall/guard-table.ts";
import { judgeChain } from "./firewall.ts";

const SHAPES: readonly TableShape[] = [
  onlyBans(64),
  { ...onlyBans(56), connections: { most: 10, ports: [25, 993], perPort: true } },
  { ...onlyBans(48), proxied: { ports: [2525], networks: ["10.0.0.0/8", "fd00::/8"].map(net), users: [33] } },
];

describe("firewall.table", { skip: lacking({ root: true, installed: ["nft", "unshare"] }) }, () => {
  for (const shape of SHAPES)
    test(`accepts the guard's own table: ${JSON.stringify(shape)}`, () => {
      const [input, banned] = listed(shape);
      const { state, saw } = judgeChain(input, banned, "");
      assert.equal(state, "ok", saw);
    });
});

/** The chains `input` and `banned`, as the kernel has them. */
function listed(shape: TableShape): readonly [input: string, banned: string] {
  const script = `nft -f - && nft list chain ${TABLE} input && echo END && nft list chain ${TABLE} banned`;
  const input = [...nftReset([], [], shape)].join("");
  const options = { input, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync("unshare", ["-n", "sh", "-c", script], options);
  assert.equal(status, 0, stderr);
  const [chain = "", banned = ""] = stdout.split("END\n");
  return [chain, banned];
}
