import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Host } from "./host.ts";

export type Received = Readonly<{
  /** Arrival of its last byte, in milliseconds since the epoch. */
  at: number;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}>;

/** A server elsewhere that accepts everything sent over HTTP. */
export class HttpReceiver {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  static async start(host: Host, directory: string, address: string, port: number): Promise<HttpReceiver> {
    const program = fileURLToPath(new URL("http-receiver-program.ts", import.meta.url));
    const file = join(directory, `received-${port}`);
    await host.spawnServer([process.execPath, program, address, String(port), file], address, port);
    return new HttpReceiver(file);
  }

  received(): readonly Received[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, "utf8").split("\n");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Received);
  }

  /** Makes it answer 503, or accept everything again. */
  refuse(refuses: boolean): void {
    if (refuses) writeFileSync(`${this.#file}.refuse`, "");
    else rmSync(`${this.#file}.refuse`, { force: true });
  }
}
