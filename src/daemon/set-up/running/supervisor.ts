import { HOUR_MS } from "../../../core/time.ts";
import type { Layout } from "../../../settings/layout.ts";
import { endOrphans } from "./orphans.ts";
import { removeFirewallTable, startSupervisor, stopEverything } from "./supervise.ts";
import { startUnits, stopUnits } from "./units.ts";

/** Runs the services once everything is prepared. */
export type Supervisor = Readonly<{
  /** It has ended without a signal from us. */
  died: Promise<"died">;
  /** Ends the services, and waits until nothing of them runs. */
  stop: () => Promise<void>;
}>;

/** runsvdir(8), below this process. */
export function runsvdir(layout: Layout): Supervisor {
  const child = startSupervisor(layout.services);
  let isGone = false;
  const died = new Promise<"died">((resolve) => {
    for (const event of ["exit", "error"])
      child.once(event, () => {
        isGone = true;
        resolve("died");
      });
  });
  return { died, stop: async () => stopEverything(layout, isGone ? null : (child.pid ?? null)) };
}

/** systemd, with a unit for each service. If systemd ends, so does the machine. */
export async function systemd(layout: Layout): Promise<Supervisor> {
  await startUnits(layout);
  // Keeps this process alive, which a signal handler does not.
  const waiting = setInterval(() => undefined, HOUR_MS);
  const stop = async (): Promise<void> => {
    clearInterval(waiting);
    await stopUnits();
    await endOrphans(layout.data);
    await removeFirewallTable(layout.data);
  };
  return { died: new Promise(() => undefined), stop };
}
