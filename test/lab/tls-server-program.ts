/**
 * A mail server with STARTTLS: `tls-server-program.ts ADDRESS PORT CERT KEY FILE [USER PASSWORD]`. With a user it accepts
 * nothing before AUTH PLAIN (RFC 4954), without one nothing before TLS. Each accepted mail is a line of JSON in FILE.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

const [address = "", port = "", cert = "", key = "", file = "", user, password = ""] = process.argv.slice(2);
const secureContext = createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
const LOGIN = user !== undefined;
const GOOD = Buffer.from(`\0${user ?? ""}\0${password}`).toString("base64");

createServer((socket) => serve(socket, false)).listen(Number(port), address);

function serve(socket: Socket, tls: boolean): void {
  let rest = "";
  let welcome = tls && !LOGIN;
  let inData = false;
  let text = "";
  const say = (line: string): void => void socket.write(`${line}\r\n`);
  const obey = (line: string): void => {
    const command = line.toUpperCase();
    if (command.startsWith("EHLO")) {
      for (const word of ["relay", ...(tls ? [] : ["STARTTLS"]), ...(tls && LOGIN ? ["AUTH PLAIN"] : [])])
        say(`250-${word}`);
      say("250 8BITMIME");
    } else if (command === "STARTTLS" && !tls) {
      say("220 continue");
      socket.removeAllListeners("data");
      serve(new TLSSocket(socket, { isServer: true, secureContext }), true);
    } else if (command.startsWith("AUTH PLAIN ") && tls) {
      welcome = line.slice("AUTH PLAIN ".length) === GOOD;
      say(welcome ? "235 welcome" : "535 wrong");
    } else if (command === "QUIT") {
      say("221 bye");
      socket.end();
    } else if (!welcome) say(LOGIN ? "530 sign in first" : "530 TLS first");
    else if (command === "DATA") {
      inData = true;
      say("354 continue");
    } else say("250 ok");
  };
  const take = (line: string): void => {
    if (line !== ".") {
      text += `${line}\n`;
      return;
    }
    appendFileSync(file, `${JSON.stringify({ text })}\n`);
    inData = false;
    text = "";
    say("250 taken");
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString("latin1")).split("\r\n");
    rest = lines.pop() ?? "";
    for (const line of lines)
      if (inData) take(line);
      else obey(line);
  });
  if (!tls) say("220 relay");
}
