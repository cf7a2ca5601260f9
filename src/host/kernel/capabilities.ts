/** By their bits (capabilities(7), linux/capability.h), as Docker's `cap_add` names them. */
const NAMES: readonly string[] = [
  ..."CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE".split(" "),
  ..."NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO".split(" "),
  ..."SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG".split(" "),
  ..."MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM".split(" "),
  ..."BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE".split(" "),
];

/** Those of a process in /proc/PID/status (proc(5)): what it has now, or what it and its children can have at most. */
export function parseCapabilities(status: string, set: "CapEff" | "CapBnd"): readonly string[] {
  const bits = BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  return NAMES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
}

/** A container has all of these only with `privileged: true`; its other capabilities depend on the kernel and on Docker. */
const PRIVILEGED: readonly string[] = ["SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "SYS_ADMIN"];

export function isPrivileged(capabilities: readonly string[]): boolean {
  return PRIVILEGED.every((one) => capabilities.includes(one));
}
