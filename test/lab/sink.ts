import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "./lab.ts";

export type Sink = Awaited<ReturnType<typeof startSink>>;

/**
 * Another mail server, which accepts everything by default: Postfix's smtp-sink(1), one file a mail. `options` of it:
 * `["-f", "."]` refuses every mail once it has all of it.
 */
export async function startSink({ sender, path }: Lab, address: string, options: readonly string[] = []) {
  const into = path(`sink-${address}`);
  mkdirSync(into);
  chmodSync(into, 0o777);
  const template = join(into, "%Y%m%d%H%M%S.");
  const door = `${address.includes(":") ? `[${address}]` : address}:25`;
  await sender.spawnServer(["smtp-sink", ...options, "-u", "nobody", "-d", template, door, "100"], address, 25);
  return { mails: () => readdirSync(into).map((name) => readFileSync(join(into, name), "utf8")) };
}
