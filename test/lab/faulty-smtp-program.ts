/**
 * A mail server with faults that Postfix no longer has, or never had: `faulty-smtp-program.ts ADDRESS CERT KEY PORT=KIND...`.
 * KIND is how TLS starts: `injectable` by STARTTLS, and commands in the same packet are obeyed after the handshake
 * (CVE-2011-0411); `plain` never; `tls` with the connection. It reveals its version, accepts any password, and answers VRFY, EXPN
 * and any recipient with 250. CR . CR ends a mail, which it discards.
 */
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createSecureContext, createServer as createTlsServer, TLSSocket } from "node:tls";

type Kind = keyof typeof OFFERED;

/** The reply to EHLO. */
const OFFERED = { injectable: ["STARTTLS", "AUTH PLAIN"], plain: [], tls: ["AUTH PLAIN"] } as const;

const [address = "", cert = "", key = "", ...doors] = process.argv.slice(2);
const pair = { cert: readFileSync(cert), key: readFileSync(key) };
const secureContext = createSecureContext(pair);

for (const door of doors) {
  const [port, kind] = door.split("=");
  const greet = (socket: Socket): void => {
    serve(socket, kind === "injectable" || kind === "tls" ? kind : "plain", "");
    socket.write("220 faulty.test ESMTP Oldmail 2.5.1\r\n");
  };
  const server = kind === "tls" ? createTlsServer(pair, greet) : createServer(greet);
  server.listen(Number(port), address);
}

/** `injected`: commands from before TLS. */
function serve(socket: Socket, kind: Kind, injected: string): void {
  let rest = "";
  let inData = false;
  const obey = (line: string): void => {
    const command = line.toUpperCase();
    if (command.startsWith("EHLO"))
      socket.write(`${OFFERED[kind].map((word) => `250-${word}\r\n`).join("")}250 8BITMIME\r\n`);
    else if (command === "STARTTLS") socket.write("502 none\r\n");
    else if (command.startsWith("AUTH")) socket.write("235 welcome\r\n");
    else if (command === "DATA") {
      inData = true;
      socket.write("354 continue\r\n");
    } else if (command === "QUIT") socket.end("221 bye\r\n");
    else socket.write("250 ok\r\n");
  };
  const take = (text: string): void => {
    rest += text;
    while (inData || rest.includes("\r\n")) {
      const end = inData ? "\r.\r" : "\r\n";
      const at = rest.indexOf(end);
      if (at < 0) return;
      const line = rest.slice(0, at);
      rest = rest.slice(at + end.length);
      if (inData) {
        inData = false;
        socket.write("250 taken\r\n");
      } else if (kind === "injectable" && line.toUpperCase() === "STARTTLS") {
        socket.write("220 continue\r\n");
        socket.removeAllListeners("data");
        serve(new TLSSocket(socket, { isServer: true, secureContext }), kind, rest);
        return;
      } else obey(line);
    }
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => take(chunk.toString("latin1")));
  if (injected !== "") socket.once("secure", () => take(injected));
}
