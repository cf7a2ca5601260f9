import { once } from "node:events";
import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { codeOf, messageOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { MINUTE_MS } from "../../core/time.ts";

/**
 * Listens at `path` with exactly these permissions; the group comes from the directory's set-gid bit. Replaces the
 * socket of a program that died. Rejects with one sentence if another program listens there.
 */
export async function listenUnix(server: Server, path: string, mode: number): Promise<void> {
  try {
    await listen(server, path);
  } catch (error) {
    const refuse = (why: string): Error => new Error(`Cannot listen at ${path}: ${why}.`, { cause: error });
    const code = codeOf(error) || messageOf(error);
    if (code !== "EADDRINUSE") throw refuse(code);
    if (!(await lstat(path)).isSocket()) throw refuse("a file that is not a socket is there");
    if (await answers(path)) throw refuse("another program is listening there");
    await unlink(path);
    await listen(server, path);
  }
  // Until now the umask gave others at most the right to read, which does not allow them to connect.
  await chmod(path, mode);
}

/** Answers one client of a `UnixServer`. `finish`: stops reading, and ends the connection once the open question is answered. */
type Connection = Readonly<{ finish(): void }>;

/** A server on a unix socket: at most `most` open connections, all ended by `close`. */
export class UnixServer<C extends Connection | undefined> {
  readonly #server: Server;
  readonly #open = new Map<Socket, C>();

  constructor(serve: (socket: Socket) => C, most: number, report: Report) {
    const server = createServer((socket) => {
      this.#open.set(socket, serve(socket));
      socket.once("close", () => this.#open.delete(socket));
    });
    this.#server = server;
    server.maxConnections = most;
    server.on("drop", () => report("too_many_connections", `${most} are open`));
    // Accepting can fail while descriptors are scarce; the server keeps listening. `start` reports if it cannot listen.
    server.on("error", (error) => {
      if (server.listening) report("internal_error", printable(error.message, 200));
    });
  }

  start(path: string, mode: number): Promise<void> {
    return listenUnix(this.#server, path, mode);
  }

  /** Stops accepting and ends open connections. After `graceMs`, destroys those that are not answered yet. */
  async close(graceMs: number): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const [socket, connection] of this.#open) {
      socket.pause();
      connection?.finish();
    }
    const cut = setTimeout(() => {
      for (const socket of this.#open.keys()) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cut);
  }
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, "listening");
}

/** Whether a program listens at this path. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

/** A log message of a server. The code is stable; `detail` is printable and bounded. */
export type Report = (code: ServerFault, detail: string) => void;
type ServerFault = keyof typeof problems;

export const problems = {
  policy_request_malformed: "Postfix sent something that is not a policy request; the connection was dropped.",
  policy_flooded: "A client of the policy socket asks faster than it reads; the connection was dropped.",
  login_request_malformed: "A login-policy request could not be read; it was answered with 400.",
  login_secret_wrong: "Someone other than Dovecot called the login-policy port; it was answered with 401.",
  control_line_malformed:
    "A client of the control socket sent an overlong line, or too many lines at once; the connection was dropped.",
  too_many_connections: "A socket has reached its connection limit; a new connection was refused.",
  internal_error: "Internal error: the request was not answered, and its client must retry.",
} as const satisfies Record<string, string>;

const MOST_A_MINUTE = 10;

/**
 * Passes on the first ten reports of each code in a minute, and later how many were dropped. Otherwise a client could crowd
 * everything else out of the log.
 */
export function atMostTenAMinute(report: Report, now: () => number): Report {
  const spans = new Map<ServerFault, { since: number; count: number }>();
  return (code, detail) => {
    const span = spans.get(code);
    const at = now();
    if (span !== undefined && at >= span.since && at < span.since + MINUTE_MS) {
      span.count += 1;
      if (span.count <= MOST_A_MINUTE) report(code, detail);
      return;
    }
    spans.set(code, { since: at, count: 1 });
    const unlogged = (span?.count ?? 0) - MOST_A_MINUTE;
    report(code, unlogged > 0 ? `${detail} (${unlogged} more were not logged)`.trim() : detail);
  };
}
