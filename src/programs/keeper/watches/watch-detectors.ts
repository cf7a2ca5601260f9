import * as z from "zod/mini";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { MINUTE_MS } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { rememberedIn } from "../../../host/root-files/record-file.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Settings } from "../../../settings/schema.ts";

/** A restart or an upgrade of such a program takes less. */
const GRACE_MS = 5 * MINUTE_MS;

/** The owner's programs whose files the settings name, each by its name in the kernel (proc(5), /proc/PID/comm). */
export const DETECTOR_PROCESSES = [
  { name: "suricata", process: "Suricata-Main", file: "detection.suricata.file" },
  { name: "psad", process: "psad", file: "detection.psad.file" },
  { name: "certspotter", process: "certspotter", file: "certificates.log" },
] as const;

/**
 * Reports detectors that have stopped. Only the list of processes tells them from those that find nothing and so write nothing. `running`:
 * the commands of all processes; null in a container, which cannot see those of its host.
 */
export function createDetectorWatch(
  layout: Pick<Layout, "keeperSocket">,
  clock: Clock,
  running: () => ReadonlySet<string> | null,
  settings: () => Pick<Settings, (typeof DETECTOR_PROCESSES)[number]["file"]> | null,
) {
  /** The reported detectors. They stay reported after a restart of the keeper, as long as they are stopped. */
  const reported = rememberedIn(layout, "detectors-stopped.json", z.array(z.string()), []);
  const before = DETECTOR_PROCESSES.filter(({ name }) => reported.get().includes(name));
  let stopped: readonly Readonly<{ name: string; file: string; since: number }>[] = before.map((one) => ({
    ...one,
    since: 0,
  }));

  function look(): void {
    const now = clock.now();
    const inForce = settings();
    if (inForce === null) return;
    const used = DETECTOR_PROCESSES.filter(({ file }) => inForce[file] !== "");
    const commands = used.length === 0 ? null : running();
    stopped = used
      .filter(({ process }) => commands?.has(process) === false)
      .map(({ name, file }) => ({ name, file, since: stopped.find((one) => one.name === name)?.since ?? now }));
    reported.set(long().map(({ name }) => name));
  }

  function long(): typeof stopped {
    const now = clock.now();
    return stopped.filter(({ since }) => Math.abs(now - since) >= GRACE_MS);
  }

  function troubles(): readonly KeeperTrouble[] {
    const named = long().map(({ name, file }) => `${name} (${file})`);
    return named.length === 0 ? [] : [{ code: "detector_stopped", detail: named.join(", ") }];
  }

  return { look, troubles };
}
