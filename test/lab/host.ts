import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { patience } from "../kit/patience.ts";
import { mustRun, type Ran, type RunOptions, runProgram } from "./commands.ts";
import { type HostName, namespaceOf } from "./network.ts";
import { until } from "./wait.ts";

const AGENT = fileURLToPath(new URL("agent.ts", import.meta.url));

export type Connected = Readonly<{ ok: true; socket: Socket }> | Readonly<{ ok: false; code: string }>;
export type Wish = Readonly<{ from: string; to: string; port: number; fromPort?: number; timeoutMs?: number }>;

export type Host = ReturnType<typeof hostOf>;

/** One host of the lab, as the test sees it. */
export function hostOf(name: HostName, directory: string) {
  const socketPath = join(directory, `${name}.sock`);
  const forwards = new Set<Server>();
  let agent: Promise<ChildProcess> | null = null;

  /** `argv` as a command inside this host. */
  const inside = (argv: readonly string[]): readonly string[] => ["ip", "netns", "exec", namespaceOf(name), ...argv];

  /** Starts a program, which ends with this host at the latest. */
  const start = (argv: readonly string[]): ChildProcess => {
    const [program = "", ...rest] = inside(argv);
    return spawn(program, rest, { stdio: "ignore" });
  };

  /** The same, once the program has printed something. */
  const spawnReady = async (argv: readonly string[], detached = false): Promise<ChildProcess> => {
    const [program = "", ...rest] = inside(argv);
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"], detached });
    await once(child.stdout, "data", { signal: AbortSignal.timeout(patience(60_000)) });
    return child;
  };

  /** A TCP connection from one of this host's addresses. No answer within `timeoutMs` (3 s) is `ETIMEDOUT`. */
  const open = async ({ timeoutMs = 3_000, ...wish }: Wish): Promise<Connected> => {
    // Started with the first connection: most hosts of a lab make none.
    agent ??= spawnReady([process.execPath, AGENT, socketPath]);
    await agent;
    const socket = connect(socketPath);
    socket.on("error", () => socket.destroy());
    socket.write(`${JSON.stringify({ ...wish, timeoutMs: patience(timeoutMs) })}\n`);
    const answer = await firstLine(socket);
    const connected = /"connected":true/.test(answer);
    if (connected) return { ok: true, socket };
    socket.destroy();
    return { ok: false, code: /"code":"(\w+)"/.exec(answer)?.[1] ?? `no answer of the agent: ${answer}` };
  };

  /** Whether a connection is accepted; closes it. */
  const reaches = async (wish: Wish): Promise<boolean> => {
    const connected = await open(wish);
    if (connected.ok) connected.socket.destroy();
    return connected.ok;
  };

  return {
    name,
    stop: (): void => {
      for (const forward of forwards) forward.close();
      void agent?.then(
        (running) => running.kill("SIGKILL"),
        () => {},
      );
    },
    inside,
    exec: (argv: readonly string[], options: RunOptions = {}): Promise<Ran> => runProgram(inside(argv), options),
    mustExec: (argv: readonly string[], options: RunOptions = {}): Promise<string> => mustRun(inside(argv), options),
    spawn: start,
    spawnReady,
    /** `spawn`, once it accepts connections at these ports of the host. */
    spawnServer: async (argv: readonly string[], address: string, ...ports: readonly number[]) => {
      const child = start(argv);
      for (const port of ports)
        await until(`${address} answers on ${port}`, () => reaches({ from: address, to: address, port }));
      return child;
    },
    connect: open,
    reaches,
    /** A port on the test's own loopback that leads out through this host, for clients that open their own sockets. */
    forward: async (wish: Wish): Promise<number> => {
      const server = createServer((local) => {
        local.on("error", () => local.destroy());
        void open(wish).then((remote) => {
          if (!remote.ok) local.destroy();
          else local.pipe(remote.socket).pipe(local);
        });
      });
      forwards.add(server);
      server.listen(0, "127.0.0.1").unref();
      await once(server, "listening");
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("no port");
      return address.port;
    },
  };
}

/** Reads the first line byte by byte, so that the rest stays in the stream. */
async function firstLine(socket: Socket): Promise<string> {
  let line = "";
  for (;;) {
    const byte: unknown = socket.read(1);
    if (Buffer.isBuffer(byte)) {
      if (byte[0] === 0x0a) return line;
      line += byte.toString("latin1");
    } else if (socket.readableEnded || socket.destroyed) return line;
    else
      await new Promise<void>((resolve) => {
        const go = (): void => {
          socket.off("readable", go).off("end", go).off("close", go);
          resolve();
        };
        socket.once("readable", go).once("end", go).once("close", go);
      });
  }
}
