import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { type Kind, keptFiles, placeOf } from "./kept-files.ts";

/**
 * Runs a program from one kept file built from its sources, which saves finding, reading and stripping them of their types: that
 * takes a third of the processor time. If the file cannot be kept, the program runs from its sources.
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
