import assert from "node:assert/strict";
import { chmodSync, renameSync, statSync } from "node:fs";
import type { CheckId } from "../../src/surfaces/cli/check/run-checks.ts";
import type { InProduct } from "../kit/checks-in-product.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** Breaks the subject of a check; `saw` is what the check must report. */
type Breaking = Readonly<{ breaks: () => unknown; repairs: () => unknown; saw: RegExp }>;

/** A lab can never connect to the internet's port 25. */
type Needed = Exclude<InProduct, "reputation.port-25-out">;
type Broken = Readonly<Record<Needed, Breaking> & Partial<Record<CheckId, Breaking>>>;

/** Parts of a running server that can all be broken at the same time, by the check that finds the fault. */
export function brokenThings({ lab, product }: Running, repository: string, banned: string): Broken {
  const { layout } = product;
  const nft = (...argv: readonly string[]) => lab.server.mustExec(["nft", ...argv]);
  const wrong = (saw: RegExp, breaks: Breaking["breaks"], repairs: Breaking["repairs"]) => ({ saw, breaks, repairs });
  const nothing = () => undefined;
  /** Gives every user all rights to a path. */
  function opened(path: string, saw: RegExp): Breaking {
    let mode = 0;
    const opens = () => {
      mode = statSync(path).mode & 0o7777;
      chmodSync(path, mode | 0o007);
    };
    return wrong(saw, opens, () => chmodSync(path, mode));
  }

  /** Inserts a rule before all others of a chain. */
  function preceded(chain: string, saw: RegExp, ...rule: readonly string[]): Breaking {
    const place = ["rule", "inet", "ghostinbox", chain];
    const withdraw = async () => {
      const [, rules = ""] = (await nft("-a", "list", "chain", "inet", "ghostinbox", chain)).split("policy accept;");
      const [, handle = assert.fail("no rule")] = /# handle (\d+)/.exec(rules) ?? [];
      await nft("delete", ...place, "handle", handle);
    };
    return wrong(saw, () => nft("insert", ...place, ...rule), withdraw);
  }

  const setActors = (sql: string) => () =>
    product.shell(`sqlite3 ${layout.engineDb} "UPDATE audit_entry SET actor = ${sql}"`);

  return {
    "permissions.secrets": opened(layout.settings, /ghostinbox\.toml is 0647 0:\d+ instead of 0640/),
    "permissions.directories": opened(layout.secrets, /secrets is 0?7?\d+ /),
    "permissions.sockets": opened(layout.controlSocket, /control\.sock is 0607/),
    "bans.in-kernel": wrong(
      /The kernel holds 0 of 1 ban/,
      () => nft("delete", "element", "inet", "ghostinbox", "ban4", `{ ${banned} }`),
      () => nft("add", "element", "inet", "ghostinbox", "ban4", `{ ${banned} }`),
    ),
    "bans.self": wrong(
      new RegExp(`The kernel bans ${SERVER.v4}/32`),
      async () => {
        await nft("delete", "element", "inet", "ghostinbox", "allow4", `{ ${SERVER.v4} }`);
        await nft("add", "element", "inet", "ghostinbox", "net4", `{ ${SERVER.v4}/32 }`);
      },
      async () => {
        await nft("add", "element", "inet", "ghostinbox", "allow4", `{ ${SERVER.v4} }`);
        // The guard may have repaired it already.
        await lab.server.exec(["nft", "delete", "element", "inet", "ghostinbox", "net4", `{ ${SERVER.v4}/32 }`]);
      },
    ),
    "firewall.table": preceded("input", /has rules before the bans: .* accept/, "ip", "saddr", "0.0.0.0/0", "accept"),
    "firewall.open-ports": wrong(
      /ghostinbox_strict was changed \(no chain input\)/,
      () => nft("add", "table", "inet", "ghostinbox_strict"),
      () => nft("delete", "table", "inet", "ghostinbox_strict"),
    ),
    "firewall.inner-port": preceded("local", /any user can reach port 10025/, "accept"),
    "database.audit": wrong(/The audit is not consistent/, setActors("actor || '?'"), setActors("rtrim(actor, '?')")),
    "backups.repository": wrong(
      /cannot be read/,
      () => renameSync(repository, `${repository}.away`),
      () => renameSync(`${repository}.away`, repository),
    ),
    "backups.restore": wrong(/cannot be read back/, nothing, nothing),
    "ports.listening": wrong(
      /Nothing listens on 3000/,
      () => product.sv("down", "web"),
      async () => {
        await product.sv("up", "web");
        const answers = async () => (await product.api("GET", "/api/v1/bans")).status === 200;
        await until("the web listens", answers, 30_000);
      },
    ),
  };
}
