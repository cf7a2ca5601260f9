import { type Connection, connectionKey } from "../../core/firewall/open-connections.ts";
import { parseIp } from "../../core/net/ip.ts";

/**
 * How long the client of each connection has sent nothing, by its key. Milliseconds. From the lines of
 * `ss -H -n -t -i -O state established` (ss(8)): two queues, our address, the client's, then tcp(7)'s TCP_INFO. 0 while
 * the client has spoken and waits for us.
 */
export function parseSilences(text: string): ReadonlyMap<string, number> {
  const silences = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const ip = parseIp(match[2] ?? "");
    if (ip === null) continue;
    const one: Connection = { ip, clientPort: Number(match[3]), port: Number(match[1]) };
    const figure = (name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0);
    const isOurTurn = figure("bytes_received") > 0 && figure("lastsnd") > figure("lastrcv");
    silences.set(connectionKey(one), isOurTurn ? 0 : figure("lastrcv"));
  }
  return silences;
}

/** IPv6 is in brackets; IPv4 over an IPv6 socket is `[::ffff:192.0.2.1]`. */
const LINE = /^\s*\d+\s+\d+\s+\S+:(\d+)\s+\[?([0-9a-fA-F.:]+?)\]?:(\d+)\s/;
