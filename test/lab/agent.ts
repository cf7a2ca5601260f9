/**
 * Runs inside a namespace and lends its network to the test: `agent.ts SOCKET` listens on a unix socket, which is
 * reachable from every network namespace. A client sends one JSON line, `{"from","fromPort","to","port","timeoutMs"}`, and gets
 * one back, `{"connected":true}` or `{"connected":false,"code"}`. From then on the agent joins the two connections.
 */
import { connect, createServer, type Socket } from "node:net";

type Wish = Readonly<{ from: string; fromPort?: number; to: string; port: number; timeoutMs: number }>;

const server = createServer({ allowHalfOpen: true }, (client) => {
  let head = Buffer.alloc(0);
  client.on("error", () => client.destroy());
  client.on("data", function gather(chunk: Buffer) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\n");
    if (end < 0) return;
    client.off("data", gather);
    client.pause();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
    lend(client, JSON.parse(head.subarray(0, end).toString()) as Wish);
  });
});
server.listen(process.argv[2], () => console.log("ready"));

function lend(client: Socket, { from, fromPort = 0, to, port, timeoutMs }: Wish): void {
  const remote = connect({ host: to, port, localAddress: from, localPort: fromPort, allowHalfOpen: true });
  // Otherwise data after a TLS handshake waits 40 ms for a delayed acknowledgement.
  remote.setNoDelay();
  const give = (code: string): void => {
    if (!client.destroyed) client.end(`${JSON.stringify({ connected: false, code })}\n`);
    remote.destroy();
  };
  const timer = setTimeout(() => give("ETIMEDOUT"), timeoutMs);
  const refused = (error: NodeJS.ErrnoException): void => {
    clearTimeout(timer);
    give(error.code ?? "EUNKNOWN");
  };
  remote.once("error", refused);
  remote.once("connect", () => {
    clearTimeout(timer);
    remote.off("error", refused);
    client.write(`${JSON.stringify({ connected: true })}\n`);
    remote.on("error", () => client.destroy());
    client.on("close", () => remote.destroy());
    remote.on("close", () => client.destroySoon());
    client.pipe(remote);
    remote.pipe(client);
  });
}
