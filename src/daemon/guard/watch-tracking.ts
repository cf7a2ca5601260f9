import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SECOND_MS } from "../../core/time.ts";
import type { Notices } from "../../engine/ports.ts";

const LOOK_EVERY_MS = 5 * SECOND_MS;
/** Shares of the table: reported above the first, until this much is free again. */
const FULL = 0.9;
const ROOMY = 0.8;
/** As Linux names them (Documentation/networking/nf_conntrack-sysctl.rst). */
const KERNEL = "/proc/sys/net/netfilter";

export type TrackingWatchParts = Readonly<{
  notices: Notices;
  /** The kernel's number of tracked connections, and its limit. */
  directory?: string;
}>;

/**
 * Reports that the kernel's table of tracked connections fills up. While it is full, packets of new connections are dropped
 * before any program sees them, and no log shows it. Some firewall rules make the kernel track connections, including our rule
 * that counts connections while the guard is down.
 */
export class TrackingWatch {
  readonly #notices: Notices;
  readonly #directory: string;
  #lookAt = 0;
  #isRaised = false;

  constructor({ notices, directory = KERNEL }: TrackingWatchParts) {
    this.#notices = notices;
    this.#directory = directory;
  }

  /** Call it about every second. */
  look(nowMs: number = performance.now()): void {
    if (nowMs < this.#lookAt) return;
    this.#lookAt = nowMs + LOOK_EVERY_MS;
    const count = this.#read("nf_conntrack_count");
    const most = this.#read("nf_conntrack_max");
    // A kernel that tracks nothing has neither; 0 means no limit.
    this.#isRaised = count !== null && most !== null && most > 0 && count >= most * (this.#isRaised ? ROOMY : FULL);
    if (!this.#isRaised) return this.#notices.clear("tracking_full");
    const command = `sysctl -w net.netfilter.nf_conntrack_max=${2 * (most ?? 0)}`;
    this.#notices.raise("tracking_full", `It holds ${count} of ${most} connections. Try: ${command}`);
  }

  #read(name: string): number | null {
    try {
      const text = readFileSync(join(this.#directory, name), "utf8").trim();
      return /^\d{1,15}$/.test(text) ? Number(text) : null;
    } catch {
      return null;
    }
  }
}
