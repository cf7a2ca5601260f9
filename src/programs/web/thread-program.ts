/**
 * The program of a thread: beside the web's in one bundled file, or in a checkout from its source. Each lowers its priority, which on
 * Linux affects only the thread (setpriority(2)): on one processor the other answers go first.
 */
export function threadProgram(name: "lookups" | "passwords" | "trials"): URL {
  return new URL(import.meta.url.endsWith(".ts") ? `./${name}-main.ts` : `./web-${name}.js`, import.meta.url);
}
