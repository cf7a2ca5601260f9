import { dropShellZone } from "../../host/running/container.ts";
import { createProcessTerminal } from "../../surfaces/cli/process-terminal.ts";
import { run } from "../../surfaces/cli/run.ts";
import { connect } from "./connect.ts";

/** The command line: `./ghostinbox COMMAND`. */

dropShellZone(process.env);
process.exitCode = await run(process.argv.slice(2), {
  terminal: createProcessTerminal(),
  env: process.env,
  now: Date.now,
  connect,
});
// Exits once all output is written, even if something still hangs, such as restic in a check that was given up.
process.stdout.write("", () => process.stderr.write("", () => process.exit()));
