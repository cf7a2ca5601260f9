import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { exchange } from "./exchange.ts";

export type WebPage = Readonly<{
  host: string;
  port: number;
  /** A name under which the dashboard answers. */
  name: string;
}>;

/** The head of the dashboard's first page (RFC 9110 section 9.3.2). */
export function probeWeb({ host, port, name }: WebPage, timeoutMs: number): Promise<ProbeResult> {
  const question = `HEAD / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`;
  return exchange({ host, port }, { question, isAnswer: (said) => said.startsWith("HTTP/1.1 200 ") }, timeoutMs);
}
