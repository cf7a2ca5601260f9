import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CHECKOUT } from "../checkout.ts";
import { type Kind, keptFiles, placeOf } from "./kept-files.ts";

/**
 * Runs a program from the one file that is kept of its sources, in which nothing is left to find, read and strip of its types: that
 * takes a third of the processor time. Where the file cannot be kept, the program runs from its sources.
 */
export async function runKept(kind: Exclude<Kind, "programs">, fromSources: () => Promise<unknown>): Promise<void> {
  if (await isHere(kind)) await import(pathToFileURL(join(placeOf(CHECKOUT, kind).directory, `${kind}.mjs`)).href);
  else await fromSources();
}

async function isHere(kind: Kind): Promise<boolean> {
  if (keptFiles(CHECKOUT, kind)?.hasTimes === true) return true;
  const { isKept } = await import("./kept-build.ts");
  return isKept(CHECKOUT, kind);
}
