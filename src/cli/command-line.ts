import { VERSION } from "../core/version.ts";
import { connect } from "./connect.ts";
import { processTerminal } from "./process-terminal.ts";
import { run } from "./run.ts";

/** The command line: `./ghostinbox COMMAND`. */

process.exitCode = await run(process.argv.slice(2), {
  terminal: processTerminal(),
  env: process.env,
  version: VERSION,
  now: Date.now,
  connect,
});
