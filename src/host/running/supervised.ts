import { existsSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { readOr } from "../../core/error.ts";
import { type Layout, serviceLog } from "../../settings/layout.ts";
import { Descriptor } from "../root-files/directory.ts";
import type { ServiceName } from "./runit.ts";

/** A service as runsv(8) sees it. */
type Supervised = Readonly<{
  /** Whether it was ordered to stay down (`sv down`). */
  isStopped: boolean;
  /** Differs after each start and each end of the service. */
  change: string;
}>;

/** Whether a service exists. Those that the settings disabled at the start do not. */
export function serviceExists(services: string, service: ServiceName): boolean {
  return existsSync(join(services, service));
}

/** Layout of `supervise/status`: a TAI64N time, the pid in little endian, then paused, wanted, term sent and state. */
const STATUS = { bytes: 20, pid: 12, wanted: 17 } as const;

/** The state of a service. Null before its supervisor's first start; the last state once the supervisor is gone. Only for root. */
export function supervised(services: string, service: string): Supervised | null {
  return readOr(() => parseStatus(readFileSync(join(services, service, "supervise", "status"))), null);
}

/** Null for an incomplete file, which is being written. */
export function parseStatus(bytes: Buffer): Supervised | null {
  if (bytes.length !== STATUS.bytes) return null;
  return { isStopped: bytes[STATUS.wanted] === "d".charCodeAt(0), change: bytes.toString("hex", 0, STATUS.pid) };
}

/** Enough for the longest stack trace. */
const TAIL_BYTES = 16_384;

/** The last lines of a file that are not blank; none if it does not exist. */
export function tail(file: string, most: number): readonly string[] {
  if (!existsSync(file)) return [];
  return endOf(file)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-most);
}

/**
 * The last log line of one of our programs, without the time that svlogd(8) adds; null if there is none. After a crash of Node
 * it is the error, not the last line of the stack trace.
 */
export function lastLogLine(layout: Layout, service: string): string | null {
  const lines = tail(serviceLog(layout, service), 40).map((line) => line.replace(SVLOGD_TIME, ""));
  const crash = lines.at(-1)?.startsWith("Node.js v") === true ? lines.findLast((line) => ERROR.test(line)) : undefined;
  return crash ?? lines.at(-1) ?? null;
}

/** The time that svlogd(8) adds with `-tt`. */
const SVLOGD_TIME = /^\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.\d+ /;
const ERROR = /^[A-Z]\w*(?:Error)?(?: \[\w+\])?: /;

function endOf(file: string): string {
  using opened = new Descriptor(openSync(file, "r"));
  const { size } = opened.stat;
  const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
  const read = readSync(opened.fd, bytes, 0, bytes.length, size - bytes.length);
  const text = bytes.toString("utf8", 0, read);
  // The first line may be truncated.
  return size > TAIL_BYTES ? text.slice(text.indexOf("\n") + 1) : text;
}
