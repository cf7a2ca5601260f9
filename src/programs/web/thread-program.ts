/** The program of a thread: beside the web's in one bundled file, or in a checkout from its source. */
export function threadProgram(name: "lookups" | "passwords" | "trials"): URL {
  return new URL(import.meta.url.endsWith(".ts") ? `./${name}-main.ts` : `./web-${name}.js`, import.meta.url);
}
