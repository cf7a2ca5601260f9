/**
 * Runs on the server host: sends every datagram back, and commits offences on request, so that the last one is timed where it
 * happens. Standard input: one Offence a line; standard output: one OffenceDone a line.
 */
import { createSocket } from "node:dgram";
import { closeSync, openSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** `log`: a line at the end of a file. `http`: a request on a separate connection, whose answer is awaited. */
export type Offence =
  | Readonly<{ type: "log"; file: string; text: string }>
  | Readonly<{ type: "http"; port: number; request: string }>;
/** When the offence started, by CLOCK_MONOTONIC, which all processes share. Nanoseconds. */
export type OffenceDone = Readonly<{ atNs: number }>;
export const ECHO_PORT = 7;

if (process.argv[1]?.endsWith("/echo.ts") === true) run();

function run(): void {
  const echo = createSocket("udp4");
  echo.on("message", (message, { port, address }) => echo.send(message, port, address));
  echo.bind(ECHO_PORT, () => console.log("ready"));
  createInterface({ input: process.stdin }).on("line", (line) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by ban-time.ts
    commit(JSON.parse(line) as Offence);
  });
}

function commit(offence: Offence): void {
  if (offence.type === "log") {
    const file = openSync(offence.file, "a");
    const atNs = now();
    writeSync(file, offence.text);
    closeSync(file);
    return done(atNs);
  }
  const socket = connect(offence.port, "127.0.0.1", () => {
    const atNs = now();
    socket.write(offence.request);
    socket.once("data", () => {
      socket.destroy();
      done(atNs);
    });
  });
}

function done(atNs: number): void {
  console.log(JSON.stringify({ atNs } satisfies OffenceDone));
}

function now(): number {
  return Number(process.hrtime.bigint());
}
