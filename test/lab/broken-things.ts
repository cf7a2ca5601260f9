import assert from "node:assert/strict";
import { chmodSync, renameSync, statSync } from "node:fs";
import type { CheckId } from "../../src/surfaces/cli/check/run-checks.ts";
import type { InProduct } from "../kit/checks-in-product.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** Breaks the subject of a check; `saw` is what the check must report. */
export type Breaking = Readonly<{
  breaks: () => unknown;
  repairs: () => unknown;
  state: "wrong" | "warning";
  saw: RegExp;
}>;

type Names = Readonly<{ repository: string; banned: string }>;
/** A lab can never connect to the internet's port 25. */
type Needed = Exclude<InProduct, "reputation.port-25-out">;

/** Parts of a running server that can all be broken at the same time, by the check that finds each. */
export function brokenThings(
  { lab, product }: Running,
  { repository, banned }: Names,
): Readonly<Record<Needed, Breaking> & Partial<Record<CheckId, Breaking>>> {
  const { layout } = product;
  const nft = (...argv: readonly string[]) => lab.server.mustExec(["nft", ...argv]);
  /** Every user may do everything with it. */
  function opened(path: string): Pick<Breaking, "breaks" | "repairs"> {
    let mode = 0;
    return {
      breaks: () => {
        mode = statSync(path).mode & 0o7777;
        chmodSync(path, mode | 0o007);
      },
      repairs: () => chmodSync(path, mode),
    };
  }

  /** Removes the first rule of a chain, which a test has inserted. */
  async function withdrawRule(chain: string): Promise<void> {
    const handle = /# handle (\d+)/.exec(
      (await nft("-a", "list", "chain", "inet", "ghostinbox", chain)).split("policy accept;")[1] ?? "",
    );
    await nft("delete", "rule", "inet", "ghostinbox", chain, "handle", handle?.[1] ?? assert.fail("no rule"));
  }

  return {
    "permissions.secrets": {
      ...opened(layout.settings),
      state: "wrong",
      saw: /ghostinbox\.toml is 0647 0:\d+ instead of 0640/,
    },
    "permissions.directories": { ...opened(layout.secrets), state: "wrong", saw: /secrets is 0?7?\d+ / },
    "permissions.sockets": { ...opened(layout.controlSocket), state: "wrong", saw: /control\.sock is 0607/ },
    "bans.in-kernel": {
      breaks: () => nft("delete", "element", "inet", "ghostinbox", "ban4", `{ ${banned} }`),
      repairs: () => nft("add", "element", "inet", "ghostinbox", "ban4", `{ ${banned} }`),
      state: "wrong",
      saw: /The kernel holds 0 of 1 ban/,
    },
    "bans.self": {
      breaks: () => nft("add", "element", "inet", "ghostinbox", "net4", `{ ${SERVER.v4}/32 }`),
      // The guard may have repaired it before.
      repairs: () => lab.server.exec(["nft", "delete", "element", "inet", "ghostinbox", "net4", `{ ${SERVER.v4}/32 }`]),
      state: "wrong",
      saw: new RegExp(`The kernel bans ${SERVER.v4}/32`),
    },
    "firewall.table": {
      breaks: () => nft("insert", "rule", "inet", "ghostinbox", "input", "ip", "saddr", "0.0.0.0/0", "accept"),
      repairs: () => withdrawRule("input"),
      state: "wrong",
      saw: /has rules before the bans: .* accept/,
    },
    "firewall.open-ports": {
      breaks: () => nft("add", "table", "inet", "ghostinbox_strict"),
      repairs: () => nft("delete", "table", "inet", "ghostinbox_strict"),
      state: "wrong",
      saw: /ghostinbox_strict was changed \(no chain input\)/,
    },
    "firewall.inner-port": {
      breaks: () => nft("insert", "rule", "inet", "ghostinbox", "local", "accept"),
      repairs: () => withdrawRule("local"),
      state: "wrong",
      saw: /any user can reach port 10025/,
    },
    "database.audit": {
      breaks: () => product.shell(`sqlite3 ${layout.engineDb} "UPDATE audit_entry SET actor = actor || '?'"`),
      repairs: () => product.shell(`sqlite3 ${layout.engineDb} "UPDATE audit_entry SET actor = rtrim(actor, '?')"`),
      state: "wrong",
      saw: /The audit is not consistent/,
    },
    "backups.repository": {
      breaks: () => renameSync(repository, `${repository}.away`),
      repairs: () => renameSync(`${repository}.away`, repository),
      state: "wrong",
      saw: /cannot be read/,
    },
    "backups.restore": {
      breaks: () => undefined,
      repairs: () => undefined,
      state: "wrong",
      saw: /cannot be read back/,
    },
    "ports.listening": {
      breaks: () => product.sv("down", "web"),
      repairs: async () => {
        await product.sv("up", "web");
        await until(
          "the web listens",
          async () => (await product.api("GET", "/api/v1/bans").catch(() => ({ code: 0 }))).code === 200,
          30_000,
        );
      },
      state: "wrong",
      saw: /Nothing listens on 3000/,
    },
  };
}
