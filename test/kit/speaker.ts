import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from "node:tls";
import { listenOnPort } from "./local-server.ts";

export type Speech = Readonly<{
  greeting?: string;
  /** Answers to matching lines, checked before those that every server gives. */
  answers?: readonly (readonly [RegExp, string])[];
  tls?: TlsOptions;
  /** Whether TLS starts at once, instead of with STARTTLS. */
  atOnce?: boolean;
}>;

const USUAL: readonly (readonly [RegExp, string])[] = [
  [/^EHLO/, "250-mail.example.org\r\n250 STARTTLS\r\n"],
  [/^(?:MAIL|RSET)/, "250 2.0.0 Ok\r\n"],
  [/^RCPT/, "554 5.7.1 Relay access denied\r\n"],
  [/^AUTH/, "535 5.7.8 authentication failed\r\n"],
  [/^VRFY/, "502 5.5.1 VRFY command is disabled\r\n"],
  [/^a LOGIN/, "a NO [AUTHENTICATIONFAILED] no\r\n"],
  [/^QUIT|LOGOUT$/, "221 2.0.0 Bye\r\n"],
];

/** Starts a server that answers line by line and starts TLS on request. Returns its port; ends with the test. */
export function speaker({ greeting = "220 ready\r\n", answers = [], tls, atOnce = false }: Speech): Promise<number> {
  const hear = (socket: Socket): void => {
    socket.on("error", () => undefined);
    let said = "";
    const listen = (chunk: Buffer): void => {
      said += chunk.toString("latin1");
      for (let end = said.indexOf("\r\n"); end >= 0; end = said.indexOf("\r\n")) {
        const line = said.slice(0, end);
        said = said.slice(end + 2);
        if (line === "STARTTLS" && tls !== undefined) {
          socket.off("data", listen).write("220 2.0.0 Ready to start TLS\r\n");
          hear(new TLSSocket(socket, { ...tls, isServer: true }));
          return;
        }
        socket.write([...answers, ...USUAL].find(([asked]) => asked.test(line))?.[1] ?? "502 5.5.2 unknown\r\n");
      }
    };
    socket.on("data", listen);
  };
  const greet = (socket: Socket): void => {
    hear(socket);
    socket.write(greeting);
  };
  return listenOnPort(atOnce ? createTlsServer(tls ?? {}, greet) : createServer(greet));
}
