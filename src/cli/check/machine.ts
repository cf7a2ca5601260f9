import { readFileSync, statfsSync } from "node:fs";
import { ownAddresses } from "../../adapters/dns/own-addresses.ts";
import { type Finished, type RunOptions, runProgram } from "../../adapters/machine/run-program.ts";
import { IMAGE_LISTS } from "../../adapters/machine/updates.ts";
import { TOOL_PATH, toolEnvironment } from "../../adapters/nft/tools.ts";
import type { Ip } from "../../core/net/ip.ts";
import { IS_IMAGE } from "../../daemon/set-up/checkout.ts";

/** Bytes and inodes of a file system. */
export type Room = Readonly<{ free: number; all: number }>;

/** The machine that runs the server, as its programs and its kernel describe it. */
export interface Machine {
  /** Runs a program of the machine until it exits. Never throws. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Free and total amounts for files of root. */
  room(path: string): Readonly<{ bytes: Room; inodes: Room }>;
  /** `/proc/self/mountinfo` (proc(5)). */
  mounts(): string;
  /** Its addresses without loopback. */
  addresses(): readonly Ip[];
  /** Where apt stores its downloads (apt.conf(5), Dir::State::lists). */
  readonly packageLists: string;
}

export const machine: Machine = {
  // Administrators' tools, whose output we parse.
  run: (program, args, options = {}) => runProgram(program, args, { env: toolEnvironment(TOOL_PATH), ...options }),
  room: (path) => {
    const { bavail, blocks, bsize, ffree, files } = statfsSync(path);
    return { bytes: { free: bavail * bsize, all: blocks * bsize }, inodes: { free: ffree, all: files } };
  },
  mounts: () => readFileSync("/proc/self/mountinfo", "utf8"),
  addresses: ownAddresses,
  packageLists: IS_IMAGE ? IMAGE_LISTS : "/var/lib/apt/lists",
};
