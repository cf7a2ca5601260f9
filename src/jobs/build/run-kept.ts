import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { type Kind, keptFiles, keptPathsOf } from "./kept-files.ts";

/**
 * Runs a program from one kept file built from its sources. That saves a third of the processor time, because Node need not find, read and
 * strip the sources. If the file cannot be kept, the program runs from its sources.
 */
export async function runKept(kind: Exclude<Kind, "programs">, fromSources: () => Promise<unknown>): Promise<void> {
  if (await isHere(kind)) await import(pathToFileURL(join(keptPathsOf(CHECKOUT, kind).directory, `${kind}.mjs`)).href);
  else await fromSources();
}

async function isHere(kind: Exclude<Kind, "programs">): Promise<boolean> {
  if (isReady(kind)) return true;
  const { isKept } = await import("./kept-build.ts");
  const isHere = await isKept(CHECKOUT, kind);
  if (kind === "start") {
    await isKept(CHECKOUT, "programs");
    // This process runs for as long as the server, and would keep 50 MB that the build needed.
    if (isReady(kind)) startAfresh(process.argv.slice(2));
  }
  return isHere;
}

function isReady(kind: Kind): boolean {
  return keptFiles(CHECKOUT, kind)?.hasTimes === true;
}

/** Starts the program again, in the same process: its environment, terminal and pid stay, for its supervisor (execve(2)). */
export function startAfresh(how: readonly string[]): void {
  // Otherwise the code compiled so far would not be cached.
  flushCompileCache();
  const script = process.argv[1] ?? "";
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, script, ...how], process.env);
}
