import type { Ip } from "../net/ip.ts";

/** Names an SMTP connection by both of its ends: a client may use one port towards several ports or addresses of the server at once. */
export function sessionOf({
  ip,
  port,
  serverPort,
  serverIp,
}: Readonly<{ ip: Ip; port: string; serverPort: string; serverIp: string }>): string {
  return `${ip} ${port} ${serverPort} ${serverIp}`;
}

/** The `connectionName` of a session, which lacks the server's address: so does the kernel's list of open connections as the guard reads it. */
export function connectionOf(session: string): string {
  return session.slice(0, session.lastIndexOf(" "));
}

export function connectionName({
  ip,
  clientPort,
  port,
}: Readonly<{ ip: Ip; clientPort: number; port: number }>): string {
  return `${ip} ${clientPort} ${port}`;
}
