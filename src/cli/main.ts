import manifest from "../../package.json" with { type: "json" };
import { KeeperClient } from "../adapters/keeper-client.ts";
import { callerName, controlGuard } from "./guard.ts";
import { openReader } from "./open-reader.ts";
import { processTerminal } from "./process-terminal.ts";
import { run } from "./run.ts";

/** The command line: `./ghostinbox COMMAND`. */

process.exitCode = await run(process.argv.slice(2), {
  terminal: processTerminal(),
  env: process.env,
  version: manifest.version,
  now: Date.now,
  connect: (layout, env) => {
    const guard = controlGuard(layout.controlSocket, callerName(env));
    return {
      guard,
      keeper: new KeeperClient(layout.keeperSocket),
      reader: async () => {
        const running = await guard.ask<"ping">({ verb: "ping" });
        return running.ok ? openReader(layout) : running;
      },
    };
  },
});
