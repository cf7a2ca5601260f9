import { hash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { codeOf, messageOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import type { Submit } from "../../guard/ports.ts";
import type { Report } from "../../host/sockets/unix-socket.ts";
import {
  LOGIN_CONTINUES,
  LOGIN_REFUSED,
  LOGIN_REQUEST_BYTES,
  parseLoginRequest,
  printLoginAnswer,
} from "./login-policy.ts";

/** Maximum connections that have not shown the secret yet. The oldest is closed, so that a new one always finds room. */
const MOST_UNPROVEN = 192;
/** Maximum duration of a whole request. */
const REQUEST_MS = 2_000;
const STOP_MS = 1_000;

type Status = 200 | 400 | 401 | 404 | 405 | 413 | 500;
type LoginPolicyParts = Readonly<{
  submit: Submit;
  secret: string;
  report: Report;
  /** Whether only proxies can reach the ports for proxies, so that their headers can be trusted. */
  guardsProxied: () => boolean;
}>;

/**
 * Answers Dovecot's auth policy: `POST /?command=allow|report`. It listens on loopback only. Any local user can reach
 * that, so clients must know the secret of auth_policy_server_api_header. On any answer except 200, Dovecot refuses.
 */
export function createLoginPolicyServer({ submit, secret, report, guardsProxied }: LoginPolicyParts) {
  if (secret === "") throw new Error("The login-policy secret is empty.");
  const secretDigest = digest(`Bearer ${secret}`);
  /** Oldest first. */
  const unproven = new Set<Socket>();

  const admit = (socket: Socket): void => {
    const [oldest] = unproven;
    if (oldest !== undefined && unproven.size >= MOST_UNPROVEN) {
      unproven.delete(oldest);
      oldest.destroy();
      report("too_many_connections", "login policy, without the secret");
    }
    unproven.add(socket);
    socket.once("close", () => unproven.delete(socket));
  };

  const refuse = (request: IncomingMessage): Status | null => {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), secretDigest)) {
      report("login_secret_wrong", "");
      return 401;
    }
    unproven.delete(request.socket);
    if (!/^\/(\?|$)/.test(request.url ?? "")) return 404;
    return request.method === "POST" ? null : 405;
  };

  const decide = (command: string | null, body: string, response: ServerResponse): void => {
    const parsed = parseLoginRequest(command, body);
    if (!parsed.ok) {
      report("login_request_malformed", parsed.reason);
      return respond(response, 400);
    }
    if (parsed.value.type === "NOT_OURS") return respond(response, 200, LOGIN_CONTINUES);
    // Nothing is recorded either: the address may belong to a third party.
    if (parsed.value.proxied === true && !guardsProxied()) return respond(response, 200, LOGIN_REFUSED);
    try {
      submit(parsed.value, (decision) => respond(response, 200, printLoginAnswer(decision)));
    } catch (error) {
      report("internal_error", printable(messageOf(error), 200));
      respond(response, 500);
    }
  };

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const refused = refuse(request);
    if (refused !== null) return respond(response, refused);
    readBody(request, (body) => {
      if (body === null) {
        report("login_request_malformed", "too long");
        respond(response, 413);
      } else decide(new URL(request.url ?? "/", "http://localhost").searchParams.get("command"), body, response);
    });
  };

  const server = createServer(
    {
      maxHeaderSize: 4 * 1024,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1_000,
      // Longer than Dovecot keeps an idle connection, so that none is closed during a request.
      keepAliveTimeout: 60_000,
    },
    serve,
  );
  // Dovecot's auth process opens up to 100 at once. If the firewall cannot keep other local users out, they may open more.
  server.maxConnections = 256;
  server.on("connection", admit);
  server.on("drop", () => report("too_many_connections", "login policy"));
  server.on("error", (error) => {
    if (server.listening) report("internal_error", printable(error.message, 200));
  });

  return {
    /**
     * Listens on 127.0.0.1 and resolves to the port; 0 takes a free one. Retry after a rejection. Programs of one user can share a port
     * (`stand-in.ts`).
     */
    async start(port: number): Promise<number> {
      server.listen({ port, host: "127.0.0.1", reusePort: true });
      await once(server, "listening").catch((error: unknown) => {
        const find = codeOf(error) === "EADDRINUSE" ? ` Find the program that does: ss -ltnp sport = ${port}` : "";
        throw new Error(`Cannot listen at 127.0.0.1:${port} for Dovecot's questions: ${messageOf(error)}.${find}`);
      });
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : port;
    },
    async stop(): Promise<void> {
      if (!server.listening) return;
      const cut = setTimeout(() => server.closeAllConnections(), STOP_MS);
      await new Promise((resolve) => server.close(resolve));
      clearTimeout(cut);
    },
  };
}

/** Passes on the body, or null once it exceeds the bound. Does nothing if the client goes away. */
function readBody(request: IncomingMessage, done: (body: string | null) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= LOGIN_REQUEST_BYTES) chunks.push(chunk);
    else if (bytes - chunk.length <= LOGIN_REQUEST_BYTES) done(null);
  });
  request.on("end", () => {
    if (bytes <= LOGIN_REQUEST_BYTES) done(Buffer.concat(chunks).toString());
  });
}

function respond(response: ServerResponse, status: Status, body = ""): void {
  if (response.headersSent || response.destroyed) return;
  // Unread bytes may follow a refused request: they must not be read as the next one.
  const keepsConnection = status === 200 || status === 400;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(keepsConnection ? {} : { connection: "close" }),
  });
  response.end(body);
}

/** Gives timingSafeEqual equal lengths, whatever was sent. */
function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
