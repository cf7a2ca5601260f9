import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { SECOND_MS } from "../../core/time.ts";
import { saveMemoryFromNow } from "../../host/machine/late-flags.ts";
import { withAdvice } from "../../host/running/failure.ts";
import { type Layout, layoutFrom } from "../../settings/layout.ts";
import { composeGuard } from "./compose.ts";
import { readInForce } from "./settings.ts";

/** The guard's program. */

const BEFORE_NEXT_TRY_MS = 4 * SECOND_MS;

try {
  await run(layoutFrom(process.env));
} catch (error) {
  process.stderr.write(`${withAdvice(error)}\n`);
  // runsv(8) would try again each second, and fill the log.
  await pause(BEFORE_NEXT_TRY_MS);
  process.exit(1);
}

async function run(where: Layout): Promise<void> {
  const read = readInForce(where);
  if (!read.ok) throw new Error(`${read.reason} Correct it: \`./ghostinbox config check\` shows every problem.`);
  const guard = composeGuard(where, read, readFileSync(where.loginPolicySecret, "utf8").trim());
  const end = (): void => void guard.stop().finally(() => process.exit(0));
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  await guard.start();
  saveMemoryFromNow();
}
