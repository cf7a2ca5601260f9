import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { clientUser } from "../../host/kernel/tcp-sockets.ts";

const LOOPBACK = parseIp("127.0.0.1");
const TABLE = "/proc/net/tcp";

/**
 * Tells whether a client of this port on 127.0.0.1 runs as this user, as which Dovecot delivers mail. The kernel knows who owns a
 * connection, so neither a secret nor the firewall is needed. Throws if the kernel's table cannot be read.
 */
export function dovecotAt(port: number, user: number) {
  return async ({ ip, clientPort }: Readonly<{ ip: Ip; clientPort: number }>): Promise<boolean> => {
    // Another address of loopback could have the same client port.
    if (LOOPBACK === null || ip !== LOOPBACK) return false;
    const connection = { ip, clientPort, serverIp: LOOPBACK, port };
    return clientUser(await readFile(TABLE, "utf8"), connection, endianness()) === user;
  };
}
