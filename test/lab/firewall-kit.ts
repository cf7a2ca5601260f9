import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { instant, later, type Millis } from "../../src/core/time.ts";
import type { BanStep, FirewallBan } from "../../src/guard/network-ports.ts";
import type { Outcome } from "../../src/guard/ports.ts";
import { NftFirewall } from "../../src/host/firewall/firewall.ts";
import { onlyBans, TABLE } from "../../src/host/firewall/guard-table.ts";
import { net } from "../kit/samples.ts";
import { AS_NOBODY } from "./commands.ts";
import type { Connected } from "./host.ts";
import { Lab } from "./lab.ts";
import { namespaceOf, SERVER } from "./network.ts";
import { until } from "./wait.ts";

export const PORT = 2525;
export const OK: Outcome = { ok: true };
/** A ban without an end. */
export const lastingBan = (text: string): FirewallBan => ({ prefix: net(text), expiresAt: null });
/** The addresses of four clients that are counted as one, and a client that is counted apart. */
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

/** The lab with a listener on the server, and the real firewall of the server's kernel, controlled like by the guard. */
export class FirewallLab {
  readonly lab: Lab;
  readonly firewall: NftFirewall;
  /** A folder with tools that have the guard's rights. */
  readonly able: string;
  readonly #listener: ChildProcess;
  #heard = "";

  private constructor(lab: Lab) {
    this.lab = lab;
    const [command = "", ...argv] = lab.server.inside([process.execPath, "-e", LISTENER]);
    const listener = spawn(command, argv, { stdio: ["ignore", "pipe", "inherit"] });
    listener.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#heard += text;
    });
    this.#listener = listener;
    this.able = this.toolsOf("able", ABLE);
    this.firewall = new NftFirewall(() => onlyBans(64), this.able);
  }

  static async make(): Promise<FirewallLab> {
    const made = new FirewallLab(await Lab.make());
    await until("the listener listens", () => made.#heard.includes("ready\n"));
    return made;
  }

  async remove(): Promise<void> {
    await this.firewall.close();
    this.#listener.kill("SIGKILL");
    this.lab.remove();
  }

  /** The server's network in proc(5). */
  get proc(): string {
    return `/proc/${this.#listener.pid}/net`;
  }

  now(): Millis {
    return instant(Date.now());
  }

  /** A folder whose `nft` and `ss` run the real ones in the server's network, with only these rights. */
  toolsOf(name: string, rights: readonly string[]): string {
    const folder = join(this.lab.directory, name);
    mkdirSync(folder);
    for (const tool of ["/usr/sbin/nft", "/usr/bin/ss"]) {
      const path = join(folder, tool.slice(tool.lastIndexOf("/") + 1));
      const command = `ip netns exec ${namespaceOf("server")} ${rights.join(" ")} ${tool}`;
      writeFileSync(path, `#!/bin/sh\nPATH=/usr/sbin:/usr/bin exec ${command} "$@"\n`, { mode: 0o755 });
    }
    return folder;
  }

  /** What the kernel holds, as nft prints it. */
  listing(): Promise<string> {
    return this.lab.server.mustExec(["nft", "list", "table", ...TABLE.split(" ")]);
  }

  /** Processes of nft that the firewall started. */
  async pidsOfNft(): Promise<string> {
    // Only of this lab: others may run at the same time.
    const here = 'exec pgrep -u nobody --ns $$ --nslist net -f "nft -i"';
    return (await this.lab.server.exec(["sh", "-c", here])).stdout.trim();
  }

  async connect(from: string, timeoutMs = 3_000): Promise<Connected> {
    const to = from.includes(":") ? SERVER.v6 : SERVER.v4;
    return this.lab.attacker.connect({ from, to, port: PORT, timeoutMs });
  }

  async open(from: string): Promise<Socket> {
    const connected = await this.connect(from);
    assert.ok(connected.ok, `${from}: ${connected.ok ? "" : connected.code}`);
    return connected.socket;
  }

  async refused(from: string): Promise<void> {
    assert.deepEqual(await this.connect(from), { ok: false, code: "ECONNREFUSED" }, `${from} is answered by a reset`);
  }

  /** Sends a line from the server to itself: 0 if it comes back, 1 if it is refused, 3 if nothing answers. */
  async askOnLoopback(port = PORT): Promise<number | null> {
    const ask = `const socket = require("net").connect(${port}, "127.0.0.1", () => socket.write("x"));
      socket.on("data", () => process.exit(0)).on("error", () => process.exit(1)).setTimeout(2_000, () => process.exit(3))`;
    return (await this.lab.server.exec([process.execPath, "-e", ask])).code;
  }

  /** Whether the server saw the session of this address end. */
  sawEnd(from: string): boolean {
    return this.#heard.includes(`closed ${from}\n`);
  }

  async reaches(from: string, timeoutMs = 400): Promise<boolean> {
    const connected = await this.connect(from, timeoutMs);
    if (connected.ok) connected.socket.destroy();
    else assert.equal(connected.code, "ETIMEDOUT", "banned packets are dropped, not answered");
    return connected.ok;
  }

  async passes(...addresses: readonly string[]): Promise<void> {
    for (const from of addresses) assert.ok(await this.reaches(from, 3_000), `${from} is not banned`);
  }

  async banned(...addresses: readonly string[]): Promise<void> {
    for (const from of addresses) assert.ok(!(await this.reaches(from)), `${from} is banned`);
  }

  /** Packets from banned addresses since the table was made. `refused`: answered by a TCP reset. */
  async counted(name: "dropped" | "refused"): Promise<number> {
    const listed = await this.lab.server.mustExec(["nft", "list", "counter", "inet", "ghostinbox", name]);
    return Number(/packets (\d+) /.exec(listed)?.[1] ?? assert.fail(listed));
  }

  async apply(...steps: readonly (readonly ["add" | "delete", string, number?])[]): Promise<void> {
    const now = this.now();
    const made = steps.map(
      ([type, text, lastsMs], id): BanStep =>
        type === "delete"
          ? { id, type, prefix: net(text) }
          : { id, type, prefix: net(text), expiresAt: lastsMs === undefined ? null : later(now, lastsMs) },
    );
    assert.deepEqual(await this.firewall.apply(made, now), OK);
  }
}
