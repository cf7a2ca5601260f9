import { readFileSync } from "node:fs";
import { parseIpv6Gateways } from "../machine/own-networks.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { IS_IMAGE } from "./checkout.ts";

/** The capabilities that the server uses in a container; docs/docker.md has the reasons. Exported for its test. */
export const NEEDED: readonly string[] = [
  ..."NET_ADMIN CHOWN DAC_OVERRIDE FOWNER FSETID SETUID".split(" "),
  ..."SETGID KILL SYS_CHROOT NET_BIND_SERVICE".split(" "),
];

/** Warnings for the owner of this container, in sentences; none outside the image. */
export function containerWarnings(isImage = IS_IMAGE): readonly string[] {
  if (!isImage) return [];
  return warningsOf({
    // Process 1 may be outside the container (`--pid=host`).
    status: textOrNothing("/proc/self/status"),
    mounts: textOrNothing("/proc/self/mounts"),
    ipv6Routes: textOrNothing("/proc/net/ipv6_route"),
  });
}

/** The warnings for these files' texts (proc(5)). Exported for its test. */
export function warningsOf({
  status,
  mounts,
  ipv6Routes,
}: Readonly<Record<"status" | "mounts" | "ipv6Routes", string>>): readonly string[] {
  const rights = parseCapabilities(status, "CapBnd");
  const more = rights.filter((one) => !NEEDED.includes(one));
  const needless: string[] = [];
  if (PRIVILEGED.every((one) => rights.includes(one)))
    needless.push("`privileged: true`, which gives every capability, such as SYS_ADMIN");
  else if (more.length > 0) needless.push(`the capabilities ${more.join(", ")}`);
  // The kernel loads its modules from the host when needed.
  if (/^\S+ (?:\/usr)?\/lib\/modules /m.test(mounts)) needless.push("the mount of /lib/modules");
  // Without NET_ADMIN only the firewall does not work, which the guard reports.
  const missing = NEEDED.filter((one) => one !== "NET_ADMIN" && !rights.includes(one));
  return [
    ...(missing.length === 0
      ? []
      : [`This container lacks capabilities that the server needs: ${missing.join(", ")}. ${SEE_DOCS}`]),
    ...(needless.length === 0
      ? []
      : [`This container has more rights than the server needs: ${needless.join("; ")}. ${SEE_DOCS}`]),
    ...(parseIpv6Gateways(ipv6Routes).length > 0 ? [] : [NO_IPV6]),
  ];
}

const SEE_DOCS = "docs/docker.md has the shortest list.";
const NO_IPV6 =
  "This container has no IPv6: if Docker publishes its ports for IPv6 too, all IPv6 clients have the address of the " +
  "container's gateway, which is never banned (docs/docker.md).";

/** Removes a shell's time zone: only a container has that of TZ, and a host has that of /etc/localtime. */
export function dropShellZone(env: NodeJS.ProcessEnv, isImage = IS_IMAGE): void {
  if (!isImage) delete env["TZ"];
}

/** Whether this process may change the firewall, and may pass that right to the guard. */
export function hasNetAdmin(): boolean {
  return parseCapabilities(readFileSync("/proc/self/status", "utf8"), "CapEff").includes("NET_ADMIN");
}

/** Capabilities in the order of their bits (capabilities(7), linux/capability.h), as Docker's `cap_add` names them. */
const CAPABILITY_NAMES: readonly string[] = [
  ..."CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE".split(" "),
  ..."NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO".split(" "),
  ..."SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG".split(" "),
  ..."MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM".split(" "),
  ..."BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE".split(" "),
];

/** Capabilities of a process from /proc/PID/status (proc(5)): those it has now, or those it and its children can have at most. */
export function parseCapabilities(status: string, set: "CapEff" | "CapBnd"): readonly string[] {
  const bits = BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  return CAPABILITY_NAMES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
}

/** A container has all of these only with `privileged: true`. Its other capabilities depend on the kernel and on Docker. */
const PRIVILEGED: readonly string[] = ["SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "SYS_ADMIN"];
