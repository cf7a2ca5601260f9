import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A service as runsv(8) sees it. */
export type Supervised = Readonly<{
  pid: number | null;
  /** It was ordered to stay down (`sv down`). */
  isStopped: boolean;
  /** Differs after each start and each end of the service. */
  change: string;
}>;

/** `supervise/status`: a TAI64N time, the pid in little endian, then: paused, wanted, term sent, state. */
const STATUS = { bytes: 20, pid: 12, wanted: 17 } as const;

/** Null before the first start of its supervisor; its last state once the supervisor is gone. Only root may read it. */
export function supervised(services: string, service: string): Supervised | null {
  try {
    return parseStatus(readFileSync(join(services, service, "supervise", "status")));
  } catch {
    return null;
  }
}

/** Null for a file that is being written. */
export function parseStatus(bytes: Buffer): Supervised | null {
  if (bytes.length !== STATUS.bytes) return null;
  const pid = bytes.readUInt32LE(STATUS.pid);
  return {
    pid: pid === 0 ? null : pid,
    isStopped: bytes[STATUS.wanted] === "d".charCodeAt(0),
    change: bytes.toString("hex", 0, STATUS.pid),
  };
}
