import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./host.ts";

export type Sink = Awaited<ReturnType<typeof startSink>>;

/**
 * Another mail server, which accepts everything by default: Postfix's smtp-sink(1), one file a mail. `options` of it:
 * `["-f", "."]` refuses every mail once it has all of it.
 */
export async function startSink(host: Host, address: string, directory: string, options: readonly string[] = []) {
  const into = join(directory, `sink-${address}`);
  mkdirSync(into);
  chmodSync(into, 0o777);
  const template = join(into, "%Y%m%d%H%M%S.");
  const door = `${address.includes(":") ? `[${address}]` : address}:25`;
  await host.spawnServer(["smtp-sink", ...options, "-u", "nobody", "-d", template, door, "100"], address, 25);
  return { mails: () => readdirSync(into).map((name) => readFileSync(join(into, name), "utf8")) };
}
