import type { Ip } from "../net/ip.ts";
import { actionOf, type DecidedKind, readSession, shown, stored, storedSession } from "./columns.ts";
import type { Service } from "./event-types.ts";
import type { RestOf } from "./rest-schemas.ts";

/** A client connects to port 25, 465 or 587. */
export type Connect = Readonly<{
  type: "CONNECT";
  ip: Ip;
  service: Service;
  /** Names the connection by both of its ends (`sessionOf`). */
  session: string;
  /** Client host name, forward-confirmed by Postfix; null if unknown. */
  clientName: string | null;
  /** It came through a mail proxy, so the firewall cannot stop its client. */
  proxied?: true;
}>;

type Ends = Readonly<{ ip: Ip; port: string; serverPort: string; serverIp: string }>;

/** Names an SMTP connection by both of its ends: a client may use one port towards several ports or addresses of the server at once. */
export function sessionOf({ ip, port, serverPort, serverIp }: Ends): string {
  return `${ip} ${port} ${serverPort} ${serverIp}`;
}

/** The session in the form of `connectionName`: the kernel's list, as the guard reads it, lacks the server's address. */
export function connectionOf(session: string): string {
  return session.slice(0, session.lastIndexOf(" "));
}

export function connectionName(one: Readonly<{ ip: Ip; clientPort: number; port: number }>): string {
  return `${one.ip} ${one.clientPort} ${one.port}`;
}

export const connection: DecidedKind<Connect, RestOf<"CONNECT">> = {
  name: (_, { verdict }) =>
    verdict === "refuse" ? "CONNECT_REFUSED" : verdict === "defer" ? "CONNECT_DEFERRED" : "CONNECT",
  window: () => "connection",
  columns: ({ service }) => ({ service }),
  rest: ({ ip, session, clientName }, seen) => ({
    event: "CONNECT",
    session: storedSession(session, ip),
    clientName: clientName === null ? undefined : stored(clientName),
    seen,
  }),
  sentence: ({ service, verdict }, { clientName }) => ({
    details: clientName === undefined ? `${service}` : `${service} ${shown(clientName)}`,
    action: actionOf(verdict),
  }),
  event: ({ ip, service }, { session, clientName = null }) =>
    ip === null || service === null
      ? null
      : { type: "CONNECT", ip, service, session: readSession(session, ip), clientName },
};
