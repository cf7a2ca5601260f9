/**
 * A mail server that attacks its clients: `hostile-mail-program.ts ADDRESS CERT KEY FILE`. Each reply would garble a
 * terminal, and make FILE in a shell. Port 25 never ends its greeting, 465 never ends a line; 587 speaks SMTP, 993 IMAP over
 * TLS with a line of 100 KB.
 */
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

const [address = "", cert = "", key = "", file = ""] = process.argv.slice(2);
const CONTROLS = "\u001B[2J\u001B]0;mine\u0007\u001B[31m\u009B31m\0\b\r\v";
const NASTY = `${CONTROLS} $(touch ${file}) \`touch ${file}\`; touch ${file} | touch ${file} & "' %s %n \\e[2J`;

createServer((socket) => pour(socket, `220-${NASTY}\r\n`)).listen(25, address);
createServer((socket) => pour(socket, NASTY)).listen(465, address);
createServer((socket) => {
  socket.write(`220 hostile.test Oldmail 2.5.1 ${NASTY}\r\n`);
  answer(socket, (line) => (line.startsWith("EHLO") ? `250-AUTH PLAIN ${NASTY}\r\n250 SIZE` : `550 ${NASTY}`));
}).listen(587, address);
createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
  socket.write(`* OK ${NASTY}\r\n`);
  answer(socket, (line) => {
    const [tag = ""] = line.split(" ");
    if (line.includes("CAPABILITY")) return `* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n${tag} OK`;
    return `${tag} NO ${NASTY} ${"A".repeat(100_000)}`;
  });
}).listen(993, address);

function answer(socket: Socket, reply: (line: string) => string): void {
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString("latin1").split("\r\n").slice(0, -1)) socket.write(`${reply(line)}\r\n`);
  });
}

/** Endless, as fast as the client reads. */
function pour(socket: Socket, text: string): void {
  const many = text.repeat(100);
  const more = (): void => {
    while (socket.write(many));
  };
  socket.on("error", () => socket.destroy());
  socket.on("drain", more);
  more();
}
