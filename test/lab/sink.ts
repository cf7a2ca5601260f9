import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./host.ts";

/** Another mail server, which accepts everything by default: Postfix's smtp-sink(1), one file a mail. */
export class Sink {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** `options` of smtp-sink(1): `["-f", "."]` refuses every mail once it has all of it. */
  static async start(host: Host, address: string, directory: string, options: readonly string[] = []): Promise<Sink> {
    const into = join(directory, `sink-${address}`);
    mkdirSync(into);
    chmodSync(into, 0o777);
    const template = join(into, "%Y%m%d%H%M%S.");
    const door = `${address.includes(":") ? `[${address}]` : address}:25`;
    await host.spawnServer(["smtp-sink", ...options, "-u", "nobody", "-d", template, door, "100"], address, 25);
    return new Sink(into);
  }

  mails(): readonly string[] {
    return readdirSync(this.#directory).map((name) => readFileSync(join(this.#directory, name), "utf8"));
  }
}
