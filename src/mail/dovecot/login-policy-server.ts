import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
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

const LOGIN_POLICY_LIMITS = {
  /** Dovecot's auth process opens up to 100 at once. If the firewall cannot keep other local users out, they may open more. */
  maxConnections: 256,
  /**
   * Connections that have not shown the secret yet. When there are more, the oldest is closed, so that a new one always
   * finds room.
   */
  unproven: 192,
  maxHeaderBytes: 4 * 1024,
  /** For the whole request. Milliseconds, here and below. */
  requestMs: 2_000,
  /** How often to check for late requests. */
  lookMs: 1_000,
  /** Longer than Dovecot keeps an idle connection, so that it is never cut under a request. */
  keepAliveMs: 60_000,
  stopMs: 1_000,
} as const;

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
export class LoginPolicyServer {
  readonly #parts: LoginPolicyParts;
  readonly #server: Server;
  readonly #secretDigest: Buffer;
  /** Oldest first. */
  readonly #unproven = new Set<Socket>();

  constructor(parts: LoginPolicyParts) {
    if (parts.secret === "") throw new Error("The login-policy secret is empty.");
    this.#parts = parts;
    this.#secretDigest = digest(`Bearer ${parts.secret}`);
    this.#server = createServer(
      {
        maxHeaderSize: LOGIN_POLICY_LIMITS.maxHeaderBytes,
        requestTimeout: LOGIN_POLICY_LIMITS.requestMs,
        headersTimeout: LOGIN_POLICY_LIMITS.requestMs,
        connectionsCheckingInterval: LOGIN_POLICY_LIMITS.lookMs,
        keepAliveTimeout: LOGIN_POLICY_LIMITS.keepAliveMs,
      },
      (request, response) => this.#serve(request, response),
    );
    this.#server.maxConnections = LOGIN_POLICY_LIMITS.maxConnections;
    this.#server.on("connection", (socket: Socket) => this.#admit(socket));
    this.#server.on("drop", () => parts.report("too_many_connections", "login policy"));
    this.#server.on("error", (error) => {
      if (this.#server.listening) parts.report("internal_error", printable(error.message, 200));
    });
  }

  /** Listens on 127.0.0.1. Port 0 takes a free one; resolves to the port. If it is refused, try again. Programs of the same user may share it (`stand-in.ts`). */
  start(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const accept = (): void => {
        this.#server.off("error", refuse);
        resolve(portOf(this.#server.address()));
      };
      const refuse = (error: Error): void => {
        this.#server.off("listening", accept);
        const find = codeOf(error) === "EADDRINUSE" ? ` Find the program that does: ss -ltnp sport = ${port}` : "";
        reject(new Error(`Cannot listen at 127.0.0.1:${port} for Dovecot's questions: ${error.message}.${find}`));
      };
      this.#server.once("error", refuse).once("listening", accept);
      this.#server.listen({ port, host: "127.0.0.1", reusePort: true });
    });
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const cut = setTimeout(() => this.#server.closeAllConnections(), LOGIN_POLICY_LIMITS.stopMs);
    await new Promise((resolve) => this.#server.close(resolve));
    clearTimeout(cut);
  }

  #admit(socket: Socket): void {
    const [oldest] = this.#unproven;
    if (oldest !== undefined && this.#unproven.size >= LOGIN_POLICY_LIMITS.unproven) {
      this.#unproven.delete(oldest);
      oldest.destroy();
      this.#parts.report("too_many_connections", "login policy, without the secret");
    }
    this.#unproven.add(socket);
    socket.once("close", () => this.#unproven.delete(socket));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const refused = this.#refuse(request);
    if (refused !== null) return respond(response, refused);
    readBody(request, (body) => {
      if (body === null) {
        this.#parts.report("login_request_malformed", "too long");
        respond(response, 413);
      } else this.#decide(new URL(request.url ?? "/", "http://localhost").searchParams.get("command"), body, response);
    });
  }

  #decide(command: string | null, body: string, response: ServerResponse): void {
    const { submit, report, guardsProxied } = this.#parts;
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
  }

  #refuse(request: IncomingMessage): Status | null {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), this.#secretDigest)) {
      this.#parts.report("login_secret_wrong", "");
      return 401;
    }
    this.#unproven.delete(request.socket);
    if (!/^\/(\?|$)/.test(request.url ?? "")) return 404;
    return request.method === "POST" ? null : 405;
  }
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
  const keep = status === 200 || status === 400;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(keep ? {} : { connection: "close" }),
  });
  response.end(body);
}

/** Equal lengths for timingSafeEqual, whatever was sent. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("The login-policy server has no port.");
  return address.port;
}
