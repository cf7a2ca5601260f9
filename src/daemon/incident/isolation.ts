import { existsSync, readFileSync } from "node:fs";
import { lastLines } from "../../adapters/machine/run-program.ts";
import { runTool, TOOL_PATH } from "../../adapters/nft/tools.ts";
import { removeFile } from "../../adapters/root-files/files.ts";
import { writeRecord } from "../../adapters/root-files/record-file.ts";
import { type Isolation, parseIsolation, SHUT } from "../../core/incident/isolation.ts";
import type { Outcome } from "../../engine/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { type ProxySettings, proxiedPorts } from "../../settings/proxied.ts";
import type { Settings } from "../../settings/schema.ts";
import { ISOLATION_TABLE, type IsolatedPorts, nftEndIsolation, nftIsolate } from "../../wire/kernel/nft-isolation.ts";

const NFT_MS = 10_000;
const SSH = 22;
const SMTP = 25;

export type PortSettings = Pick<
  Settings,
  "ports.smtp" | "ports.submission" | "ports.submissions" | "ports.imaps" | "ports.http" | "outbound.relay"
> &
  ProxySettings;

/** Null: the server is not isolated. An unreadable file closes everything but SSH: the file exists for a reason. */
export function readIsolation({ isolation: file }: Pick<Layout, "isolation">): Isolation | null {
  if (!existsSync(file)) return null;
  const read = parseIsolation(readFileSync(file, "utf8"));
  return read ?? { incident: "unknown", since: "", allow: [], ssh: [SSH], shut: SHUT };
}

/** Applies to the next start and `config apply`. Null: the server is open again. */
export function keepIsolation({ isolation: file }: Pick<Layout, "isolation">, isolation: Isolation | null): void {
  if (isolation === null) removeFile(file);
  else writeRecord(file, isolation);
}

/** Creates the wanted firewall table. */
export function shutOut(isolation: Isolation, settings: PortSettings): Promise<Outcome> {
  return load(nftIsolate(isolation, isolatedPorts(settings)));
}

/** Removes the firewall's table, if it exists. */
export function endShutOut(): Promise<Outcome> {
  return load(nftEndIsolation());
}

async function load(input: string): Promise<Outcome> {
  const ran = await runTool("nft", ["-f", "-"], { path: TOOL_PATH, input, timeoutMs: NFT_MS });
  return ran.code === 0 ? { ok: true } : { ok: false, reason: `nft failed: ${lastLines(ran, 1)}` };
}

/** Whether the table exists and is complete. */
export async function isShutOut(): Promise<boolean> {
  const args = ["list", "table", ...ISOLATION_TABLE.split(" ")];
  const ran = await runTool("nft", args, { path: TOOL_PATH, timeoutMs: NFT_MS });
  return ran.code === 0 && /hook input/.test(ran.stdout);
}

export function isolatedPorts(settings: PortSettings): IsolatedPorts {
  const proxied = proxiedPorts(settings);
  const relay = Number(/:(\d+)$/.exec(settings["outbound.relay"])?.[1] ?? SMTP);
  return {
    smtp: [settings["ports.smtp"], ...(proxied === null ? [] : [proxied.smtp])],
    signIn: [
      settings["ports.submission"],
      settings["ports.submissions"],
      settings["ports.imaps"],
      settings["ports.http"],
      ...(proxied === null ? [] : [proxied.submission, proxied.submissions, proxied.imaps]),
    ],
    relay: relay === SMTP ? null : relay,
  };
}
