import { readFileSync } from "node:fs";
import { KeeperClient } from "../adapters/sockets/keeper-client.ts";
import { openReader } from "./open-reader.ts";
import { processTerminal } from "./process-terminal.ts";
import { run } from "./run.ts";
import { callerName, controlGuard } from "./verbs/guard-status.ts";

/** The command line: `./ghostinbox COMMAND`. */

process.exitCode = await run(process.argv.slice(2), {
  terminal: processTerminal(),
  env: process.env,
  version: version(),
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

/** As package.json has it. */
function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const known = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return known ? String(manifest.version) : "unknown";
}
