import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Host } from "./host.ts";

export type Received = Readonly<{
  /** When its last byte arrived, in milliseconds since the epoch. */
  at: number;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}>;
export type HttpReceiver = Awaited<ReturnType<typeof startReceiver>>;

/** A server elsewhere that accepts everything sent over HTTP. */
export async function startReceiver(host: Host, directory: string, address: string, port: number) {
  const program = fileURLToPath(new URL("http-receiver-program.ts", import.meta.url));
  const file = join(directory, `received-${port}`);
  await host.spawnServer([process.execPath, program, address, String(port), file], address, port);
  return {
    received: (): readonly Received[] => {
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, "utf8").split("\n");
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Received);
    },
    /** Makes it answer 503, or accept everything again. */
    refuse: (refuses: boolean): void => {
      if (refuses) writeFileSync(`${file}.refuse`, "");
      else rmSync(`${file}.refuse`, { force: true });
    },
  };
}
