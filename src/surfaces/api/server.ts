import { once } from "node:events";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { API_LIMITS, type ApiLimits } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { createRouter, createSharedParts } from "./router.ts";
import { routes } from "./routes.ts";

const SWEEP_MS = 20;
/** Connections that the kernel queues until they are accepted. The kernel's maximum is `net.core.somaxconn`, 4096 by default. */
const BACKLOG = 4_096;

/** The HTTP server of API and dashboard: plain HTTP, for loopback or a proxy with TLS in front. */
export function createApiServer(parts: ApiParts, limits: ApiLimits = API_LIMITS) {
  const shared = createSharedParts(parts, limits);
  const router = createRouter(routes(shared), shared);
  // Without `Host`, only the URL gets this name. The header stays missing, so a session is refused.
  const listener = getRequestListener(router.fetch, { overrideGlobalObjects: false, hostname: "localhost" });
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.lookMs,
      keepAliveTimeout: limits.keepAliveMs,
    },
    (request, response) => {
      if (request.socket.destroyed) return;
      // Of several `Host` headers a proxy may have used another one (RFC 9112, 3.2). HTTP/1.0, as in health checks, needs none.
      if ((request.headersDistinct["host"]?.length ?? 1) === 1) void listener(request, response);
      else response.writeHead(400, { Connection: "close" }).end();
    },
  );
  shared.connections.watch(server);
  return {
    /** Resolves with the port, which the system chooses if it is 0. Rejects with the system's error. */
    listen: async (address: string, port: number): Promise<number> => {
      // Without a host, Node listens on `::`, or on IPv4 if the kernel has no IPv6.
      server.listen({ port, backlog: BACKLOG, ...(address !== "::" && { host: address }) });
      await once(server, "listening");
      const bound = server.address();
      return typeof bound === "object" && bound !== null ? bound.port : port;
    },
    /** Stops accepting, ends the streams, gives running requests some time, then cuts them off. */
    stop: async (): Promise<void> => {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      shared.streams.closeAll();
      // Closes connections as they become idle: after its answer, one would stay open for the client's next request.
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
      const cut = setTimeout(() => server.closeAllConnections(), API_LIMITS.stopMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
    },
  };
}
