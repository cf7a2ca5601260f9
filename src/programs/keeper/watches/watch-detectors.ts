import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { MINUTE_MS, type Millis } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
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
 * A detector that has stopped writes no more than one that finds nothing: only the list of processes tells them apart. `running`: the
 * commands of all processes; null in a container, which cannot see those of its host.
 */
export function createDetectorWatch(
  clock: Clock,
  running: () => ReadonlySet<string> | null,
  settings: () => Pick<Settings, (typeof DETECTOR_PROCESSES)[number]["file"]> | null,
) {
  let stopped: readonly Readonly<{ name: string; file: string; since: Millis }>[] = [];

  function look(): void {
    const inForce = settings();
    const used = DETECTOR_PROCESSES.filter(({ file }) => inForce !== null && inForce[file] !== "");
    const commands = used.length === 0 ? null : running();
    stopped = used
      .filter(({ process }) => commands?.has(process) === false)
      .map(({ name, file }) => {
        const since = stopped.find((one) => one.name === name)?.since ?? clock.now();
        return { name, file, since };
      });
  }

  function troubles(): readonly KeeperTrouble[] {
    const now = clock.now();
    const long = stopped.filter(({ since }) => now - since >= GRACE_MS);
    if (long.length === 0) return [];
    return [{ code: "detector_stopped", detail: long.map(({ name, file }) => `${name} (${file})`).join(", ") }];
  }

  return { look, troubles };
}
