import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createHandlers } from "./handlers.ts";
import { API_LIMITS, type ApiLimits } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { createRouter } from "./router.ts";
import { routes } from "./routes.ts";
import type { Streams } from "./streams/streams.ts";

const SWEEP_MS = 20;
/** Connections that the kernel holds until they are accepted; at most `net.core.somaxconn`, by default as many. */
const BACKLOG = 4_096;

/** The HTTP server of API and dashboard: plain HTTP, for loopback or a proxy with TLS in front. */
export class ApiServer {
  readonly #server: Server;
  readonly #streams: Streams;

  constructor(parts: ApiParts, limits: ApiLimits = API_LIMITS) {
    const handlers = createHandlers(parts, limits);
    const router = createRouter(routes(handlers), handlers);
    this.#streams = handlers.streams;
    const listener = getRequestListener(router.fetch, { overrideGlobalObjects: false });
    this.#server = createServer(
      {
        maxHeaderSize: limits.headerBytes,
        headersTimeout: limits.headersMs,
        requestTimeout: limits.requestMs,
        connectionsCheckingInterval: limits.lookMs,
        keepAliveTimeout: limits.keepAliveMs,
      },
      (request, response) => {
        if (request.socket.destroyed) return;
        // A proxy may choose a different one of several `Host` headers (RFC 9112, 3.2).
        if (request.headersDistinct["host"]?.length === 1) void listener(request, response);
        else response.writeHead(400, { Connection: "close" }).end();
      },
    );
    handlers.connections.watch(this.#server);
  }

  /** Resolves with the port, which the system chooses if it is 0. Rejects with the system's error. */
  async listen(address: string, port: number): Promise<number> {
    this.#server.listen({ port, host: address, backlog: BACKLOG });
    await once(this.#server, "listening");
    const bound = this.#server.address();
    return typeof bound === "object" && bound !== null ? bound.port : port;
  }

  /** Stops accepting, ends the streams, gives running requests some time, then cuts them off. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#streams.closeAll();
    // A connection that is busy at the order to stop would stay open for the client's next request.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), SWEEP_MS);
    const cut = setTimeout(() => this.#server.closeAllConnections(), API_LIMITS.stopMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
