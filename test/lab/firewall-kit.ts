import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { basename, join } from "node:path";
import type { FirewallBan } from "../../src/core/firewall/plan-firewall.ts";
import { instant, later } from "../../src/core/time.ts";
import type { BanStep } from "../../src/guard/network-ports.ts";
import type { Outcome } from "../../src/guard/ports.ts";
import { NftFirewall } from "../../src/host/firewall/firewall.ts";
import { onlyBans, TABLE } from "../../src/host/firewall/guard-table.ts";
import { patience } from "../kit/patience.ts";
import { net } from "../kit/samples.ts";
import { AS_NOBODY } from "./commands.ts";
import type { Connected } from "./host.ts";
import { makeLab } from "./lab.ts";
import { namespaceOf, SERVER } from "./network.ts";

export const PORT = 2525;
export const OK: Outcome = { ok: true };
/** A ban without an end. */
export const lastingBan = (text: string): FirewallBan => ({ prefix: net(text), expiresAt: null });
/** The addresses of four clients that count as one, and a client that counts separately. */
export const UNITS = [
  ["an IPv4 address", Array.from({ length: 4 }, () => "198.51.100.210"), "198.51.100.211"],
  [
    "an IPv6 network",
    ["2001:db8:a000:1::1", "2001:db8:a000:1::2", "2001:db8:a000:1:a::", "2001:db8:a000:1:b::"],
    "2001:db8:a000:2::1",
  ],
] as const;
/** An unprivileged user with the guard's only capability. */
const ABLE = [...AS_NOBODY, "--inh-caps=+net_admin", "--ambient-caps=+net_admin"];
/** Echoes lines, and reports ended sessions. */
const LISTENER = `require("net").createServer((socket) => {
  const from = socket.remoteAddress.replace("::ffff:", "");
  socket.on("error", () => {}).on("close", () => console.log("closed " + from)).pipe(socket);
}).listen(${PORT}, "::", () => console.log("ready"))`;

export type FirewallLab = Awaited<ReturnType<typeof makeFirewallLab>>;

/** The lab with a listener on the server, and the real firewall of the server's kernel, controlled as by the guard. */
export async function makeFirewallLab() {
  const lab = await makeLab();
  const listener = await lab.server.spawnReady([process.execPath, "-e", LISTENER]);
  let heard = "";
  listener.stdout?.on("data", (chunk: Buffer) => (heard += String(chunk)));

  /** A folder whose `nft` and `ss` run the real ones in the server's network, with only these rights. */
  const toolsOf = (name: string, rights: readonly string[]): string => {
    const folder = lab.path(name);
    mkdirSync(folder);
    for (const tool of ["/usr/sbin/nft", "/usr/bin/ss"]) {
      const command = `ip netns exec ${namespaceOf("server")} ${rights.join(" ")} ${tool}`;
      const script = `#!/bin/sh\nPATH=/usr/sbin:/usr/bin exec ${command} "$@"\n`;
      writeFileSync(join(folder, basename(tool)), script, { mode: 0o755 });
    }
    return folder;
  };
  const able = toolsOf("able", ABLE);
  const firewall = new NftFirewall(() => onlyBans(64), able);

  const now = () => instant(Date.now());

  const connect = (from: string, timeoutMs = 3_000): Promise<Connected> =>
    lab.attacker.connect({ from, to: from.includes(":") ? SERVER.v6 : SERVER.v4, port: PORT, timeoutMs });

  const open = async (from: string): Promise<Socket> => {
    const connected = await connect(from);
    assert.ok(connected.ok, `${from}: ${connected.ok ? "" : connected.code}`);
    return connected.socket;
  };

  const reaches = async (from: string, timeoutMs = 400): Promise<boolean> => {
    const connected = await connect(from, timeoutMs);
    if (connected.ok) connected.socket.destroy();
    else assert.equal(connected.code, "ETIMEDOUT", "banned packets are dropped, not answered");
    return connected.ok;
  };

  return {
    lab,
    firewall,
    /** A folder with tools that have the guard's rights. */
    able,
    toolsOf,
    remove: async (): Promise<void> => {
      await firewall.close();
      listener.kill("SIGKILL");
      lab.remove();
    },

    /** The server's network in proc(5). */
    proc: `/proc/${listener.pid}/net`,
    now,
    /** What the kernel holds, as nft prints it. */
    listing: () => lab.server.mustExec(["nft", "list", "table", ...TABLE.split(" ")]),
    /** Processes of nft that the firewall started. */
    pidsOfNft: async (): Promise<string> => {
      // Only this lab's, because other labs may run at the same time.
      const here = 'exec pgrep -u nobody --ns $$ --nslist net -f "nft -i"';
      return (await lab.server.exec(["sh", "-c", here])).stdout.trim();
    },

    connect,
    open,
    refused: async (from: string): Promise<void> =>
      assert.deepEqual(await connect(from), { ok: false, code: "ECONNREFUSED" }, `${from} is answered by a reset`),
    /** Sends a line from the server to itself: 0 if it comes back, 1 if it is refused, 3 if nothing answers. */
    askOnLoopback: async (port = PORT): Promise<number> => {
      const ask = `const socket = require("net").connect(${port}, "127.0.0.1", () => socket.write("x"));
      socket.on("data", () => process.exit(0)).on("error", () => process.exit(1)).setTimeout(${patience(2_000)}, () => process.exit(3))`;
      return (await lab.server.exec([process.execPath, "-e", ask])).code;
    },

    /** Whether the server saw the session of this address end. */
    sawEnd: (from: string): boolean => heard.includes(`closed ${from}\n`),
    reaches,
    passes: async (...addresses: readonly string[]): Promise<void> => {
      for (const from of addresses) assert.ok(await reaches(from, 3_000), `${from} is not banned`);
    },
    banned: async (...addresses: readonly string[]): Promise<void> => {
      for (const from of addresses) assert.ok(!(await reaches(from)), `${from} is banned`);
    },
    /** Packets from banned addresses since the table was made. `refused`: answered by a TCP reset. */
    counted: async (name: "dropped" | "refused"): Promise<number> => {
      const listed = await lab.server.mustExec(["nft", "list", "counter", "inet", "ghostinbox", name]);
      return Number(/packets (\d+) /.exec(listed)?.[1] ?? assert.fail(listed));
    },
    apply: async (...steps: readonly (readonly ["add" | "delete", string, number?])[]): Promise<void> => {
      const at = now();
      const made = steps.map(
        ([type, text, lastsMs], id): BanStep =>
          type === "delete"
            ? { id, type, prefix: net(text) }
            : { id, type, prefix: net(text), expiresAt: lastsMs === undefined ? null : later(at, lastsMs) },
      );
      assert.deepEqual(await firewall.apply(made, at), OK);
    },
  };
}
