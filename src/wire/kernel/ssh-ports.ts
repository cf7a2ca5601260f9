import { isLoopback } from "./ss-listeners.ts";

/** Programs that take SSH. `sshd-session` has the sessions since OpenSSH 9.8. */
const SERVERS = /"(?:sshd|sshd-session|dropbear)"/;

/** `address` as ss prints it. */
export type RootSocket = Readonly<{ address: string; port: number; listens: boolean; isSsh: boolean }>;

/**
 * The sockets of root in what `ss -Hantpe` prints, which names the owner only if that is another user; without those on
 * loopback.
 */
export function socketsOfRoot(sockets: string): readonly RootSocket[] {
  return sockets.split("\n").flatMap((line) => {
    const [state = "", , , local = ""] = line.trim().split(/\s+/);
    const [, address = "", digits = ""] = /^(.+):(\d+)$/.exec(local) ?? [];
    const port = Number(digits);
    if (!(port > 0) || / uid:[1-9]/.test(line) || isLoopback({ address })) return [];
    return [{ address, port, listens: state === "LISTEN", isSsh: SERVERS.test(line) }];
  });
}

/**
 * The ports of SSH in what `ss -Hantpe` prints: those on which its servers listen, and those of open sessions where another program
 * listens for them, as systemd does for ssh.socket. Forwarded connections have the same program and are skipped. So is what belongs
 * to another user than root, who may give a program any name and lets SSH listen for others (`ssh -R`).
 */
export function sshPortsIn(sockets: string): readonly number[] {
  const found = socketsOfRoot(sockets);
  const listening = new Set(found.filter(({ listens }) => listens).map(({ port }) => port));
  const ports = found.filter(({ port, isSsh }) => isSsh && listening.has(port)).map(({ port }) => port);
  return [...new Set(ports)].toSorted((a, b) => a - b);
}
