import { existsSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runProgram } from "../../../adapters/machine/run-program.ts";
import { SERVICES } from "../../../render/runit.ts";
import { MAIL_LOG_UNIT, OTHER_UNITS, unitOf } from "../../../render/systemd.ts";
import type { Layout } from "../../../settings/layout.ts";
import { SetUpFailure } from "../failure.ts";

/** Units get 20 s to end, and are then killed. */
const STOP_MS = 40_000;

/** Starts the unit of each service that the settings enable, without waiting until they run. */
export async function startUnits({ services }: Pick<Layout, "services">): Promise<void> {
  const wanted = SERVICES.filter((service) => existsSync(join(services, service)));
  await must(["start", "--no-block", ...wanted.map(unitOf), MAIL_LOG_UNIT]);
}

/** Waits until none of them runs. systemd does not know processes without a unit, such as those of a start in a terminal. */
export async function stopUnits(): Promise<void> {
  await must(["stop", OTHER_UNITS]);
}

/** Notifies systemd that the server runs (systemd-notify(1)), if there is one. */
export async function tellReady(status: string, socket = process.env["NOTIFY_SOCKET"]): Promise<void> {
  if (socket === undefined) return;
  await runProgram("systemd-notify", ["--ready", `--status=${status}`], { env: { NOTIFY_SOCKET: socket } });
}

async function must(argv: readonly string[]): Promise<void> {
  const finished = await runProgram("systemctl", argv, { timeoutMs: STOP_MS });
  if (finished.code !== 0) throw new SetUpFailure(`systemctl ${argv.join(" ")} failed: ${lastLines(finished)}`);
}
