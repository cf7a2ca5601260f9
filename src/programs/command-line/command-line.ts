import { VERSION } from "../../core/version.ts";
import { createProcessTerminal } from "../../surfaces/cli/process-terminal.ts";
import { run } from "../../surfaces/cli/run.ts";
import { connect } from "./connect.ts";

/** The command line: `./ghostinbox COMMAND`. */

process.exitCode = await run(process.argv.slice(2), {
  terminal: createProcessTerminal(),
  env: process.env,
  version: VERSION,
  now: Date.now,
  connect,
});
