import { readFileSync } from "node:fs";
import { connect } from "./connect.ts";
import { processTerminal } from "./process-terminal.ts";
import { run } from "./run.ts";

/** The command line: `./ghostinbox COMMAND`. */

process.exitCode = await run(process.argv.slice(2), {
  terminal: processTerminal(),
  env: process.env,
  version: version(),
  now: Date.now,
  connect,
});

/** The version, as in package.json. */
function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const known = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return known ? String(manifest.version) : "unknown";
}
