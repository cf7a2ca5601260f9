/**
 * Runs on the attacker's host: keeps one datagram under way to the server's echo, about one every tenth of a
 * millisecond, until one does not come back. Standard input: one ProbeWish a line; standard output: "probing" once the
 * first came back, then one ProbeDone.
 */
import { createSocket, type Socket } from "node:dgram";
import { createInterface } from "node:readline";

export type ProbeWish = Readonly<{ from: string; to: string; port: number }>;
/** When the first datagram that never came back was sent, by CLOCK_MONOTONIC (ns). */
export type ProbeDone = Readonly<{ droppedAtNs: number }>;

/** Over one link a single datagram is never lost, but on a busy machine an echo can be late. */
const LOST_AFTER_MS = 300;

console.log("ready");
createInterface({ input: process.stdin }).on("line", (line) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by ban-time.ts
  probe(JSON.parse(line) as ProbeWish);
});

function probe({ from, to, port }: ProbeWish): void {
  const socket: Socket = createSocket("udp4");
  const payload = Buffer.from("probe");
  let sentAtNs = 0;
  let echoes = 0;
  let seen = -1;
  const send = (): void => {
    sentAtNs = Number(process.hrtime.bigint());
    socket.send(payload, port, to);
  };
  const watch = setInterval(() => {
    // The interval may be late, too, so only a datagram that was already under way at the last check counts as lost.
    if (seen !== echoes) {
      seen = echoes;
      return;
    }
    clearInterval(watch);
    socket.close();
    console.log(JSON.stringify({ droppedAtNs: sentAtNs } satisfies ProbeDone));
  }, LOST_AFTER_MS);
  socket.on("message", () => {
    echoes += 1;
    if (echoes === 1) console.log("probing");
    send();
  });
  socket.on("error", () => {});
  socket.bind({ address: from }, send);
}
