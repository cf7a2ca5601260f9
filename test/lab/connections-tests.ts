import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { NftFirewall } from "../../src/host/firewall/firewall.ts";
import { onlyBans } from "../../src/host/firewall/guard-table.ts";
import { type FirewallLab, lastingBan, OK, PORT, UNITS } from "./firewall-kit.ts";
import { until } from "./wait.ts";

const MOST = 3;

export function connectionsTests(kitOf: () => FirewallLab): void {
  let kit: FirewallLab;
  let firewall: NftFirewall;
  before(() => {
    kit = kitOf();
    const connections = { most: MOST, ports: [25, PORT], perPort: false };
    firewall = new NftFirewall(() => ({ ...onlyBans(64), connections }), kit.able);
  });
  beforeEach(async () => assert.deepEqual(await firewall.reset([], [], kit.now()), OK));
  after(() => firewall.close());

  for (const [what, addresses, other] of UNITS)
    test(`${what} may hold ${MOST}, and another once one is closed`, async () => {
      const held = await Promise.all(addresses.slice(0, MOST).map((from) => kit.open(from)));
      const [last = ""] = addresses.slice(MOST);
      await kit.refused(last);
      await kit.refused(last);
      (await kit.open(other)).destroy();
      held[0]?.end();
      const again = await until("there is room again", async () => {
        const connected = await kit.connect(last);
        return connected.ok ? connected.socket : null;
      });
      for (const socket of [again, ...held]) socket.destroy();
    });

  test("on this machine, only programs of root and of exempt users may hold more", async () => {
    const opens = (then: string): readonly string[] => [
      process.execPath,
      "-e",
      `let [open, tried] = [0, 0];
      const settled = () => ++tried === 5 && ${then};
      for (let i = 0; i < 5; i++)
        require("node:net").connect(${PORT}, "127.0.0.1", () => { open++; settled(); }).on("error", settled);`,
    ];
    const as = (user: number, then: string) => ["setpriv", `--reuid=${user}`, "--clear-groups", ...opens(then)];
    const held = async (user: number) => (await kit.lab.server.exec(as(user, "process.exit(open)"))).code;
    const all = { port: PORT, most: 2, of: "all", spared: [61_021] } as const;
    const each = { ...all, of: "each user" } as const;
    for (const [here, others] of [
      [[all], [0, 5, 5]],
      [[each], [2, 5, 5]],
      [
        [each, { ...all, most: 3 }],
        [1, 5, 5],
      ],
    ] as const) {
      const connections = { most: MOST, ports: [PORT], perPort: false, here };
      const local = new NftFirewall(() => ({ ...onlyBans(64), connections }), kit.able);
      assert.deepEqual([await local.reset([], [], kit.now()), await local.check("whole")], [OK, OK]);
      const first = await kit.lab.server.spawnReady(as(61_019, "console.log(open)"));
      assert.deepEqual([await held(61_020), await held(61_021), await held(0)], others);
      first.kill();
      await local.close();
    }
  });

  test("a kernel that cannot count keeps the bans, and says what is missing", async () => {
    const connections = { most: MOST, ports: [PORT], perPort: false };
    const old = new NftFirewall(() => ({ ...onlyBans(64), connections }), withoutCounting(kit));
    const uncounted = "nft failed: Could not process rule: No such file or directory.";
    assert.deepEqual(await old.reset([lastingBan("198.51.100.220")], [], kit.now()), { ok: true, uncounted });
    await kit.banned("198.51.100.220");
    assert.deepEqual(await old.check("whole"), OK);
    const held = await Promise.all(Array.from({ length: MOST + 1 }, () => kit.open("198.51.100.221")));
    for (const socket of held) socket.destroy();
    await old.close();
  });
}

/** nft as a kernel without nft_connlimit makes it answer. */
function withoutCounting(kit: FirewallLab): string {
  const folder = kit.lab.path("old-kernel");
  mkdirSync(folder);
  const refusal = 'echo "/dev/stdin:1:1-2: Error: Could not process rule: No such file or directory" >&2; exit 1';
  const script = `#!/bin/sh
PATH=/usr/bin:/bin
commands=$(cat)
case "$commands" in *"ct count"*) ${refusal} ;; esac
echo "$commands" | exec ${kit.able}/nft "$@"
`;
  writeFileSync(join(folder, "nft"), script, { mode: 0o755 });
  return folder;
}
