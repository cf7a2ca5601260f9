import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { saveMemoryFromNow } from "./late-flags.ts";

/** Returns memory at once, in a process that will do little for long: V8 itself would do so only when it needs some. */
export function collectGarbage(): void {
  saveMemoryFromNow();
  setFlagsFromString("--expose-gc");
  // Only a new context has the function.
  runInNewContext("gc()");
}
