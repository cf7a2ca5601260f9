import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { saveMemoryFromNow } from "./late-flags.ts";

/** Returns memory at once, for a process that will be idle for long: V8 collects only when it needs memory. */
export function collectGarbage(): void {
  saveMemoryFromNow();
  setFlagsFromString("--expose-gc");
  // Only a new context has the function.
  runInNewContext("gc()");
}
