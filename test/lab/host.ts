import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { patience } from "../kit/patience.ts";
import { mustRun, type Ran, type RunOptions, runProgram } from "./commands.ts";
import { type HostName, namespaceOf } from "./network.ts";
import { until } from "./wait.ts";

export type Connected = Readonly<{ ok: true; socket: Socket }> | Readonly<{ ok: false; code: string }>;
export type Wish = Readonly<{ from: string; to: string; port: number; timeoutMs?: number }>;

/** One host of the lab, as the test sees it. */
export class Host {
  readonly name: HostName;
  readonly #socketPath: string;
  readonly #forwards = new Set<Server>();
  #agent: Promise<ChildProcess> | null = null;

  constructor(name: HostName, directory: string) {
    this.name = name;
    this.#socketPath = join(directory, `${name}.sock`);
  }

  stop(): void {
    for (const forward of this.#forwards) forward.close();
    void this.#agent?.then((agent) => agent.kill("SIGKILL"));
  }

  /** `argv` as a command inside this host. */
  inside(argv: readonly string[]): readonly string[] {
    return ["ip", "netns", "exec", namespaceOf(this.name), ...argv];
  }

  async exec(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return runProgram(this.inside(argv), options);
  }

  async mustExec(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return mustRun(this.inside(argv), options);
  }

  /** Starts a program, which ends with this host unless it is ended before. */
  spawn(argv: readonly string[]): ChildProcess {
    const [program = "", ...rest] = this.inside(argv);
    return spawn(program, rest, { stdio: "ignore" });
  }

  /** The same, once the program has printed something. */
  async spawnReady(argv: readonly string[], detached = false): Promise<ChildProcess> {
    const [program = "", ...rest] = this.inside(argv);
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"], detached });
    await once(child.stdout, "data");
    return child;
  }

  /** The same, once it accepts connections at these ports of the host. */
  async spawnServer(argv: readonly string[], address: string, ...ports: readonly number[]): Promise<ChildProcess> {
    const child = this.spawn(argv);
    for (const port of ports)
      await until(`${address} answers on ${port}`, () => this.reaches({ from: address, to: address, port }));
    return child;
  }

  /** Whether a connection is accepted, which is closed then. */
  async reaches(wish: Wish): Promise<boolean> {
    const connected = await this.connect(wish);
    if (connected.ok) connected.socket.destroy();
    return connected.ok;
  }

  /** A TCP connection from one of this host's addresses. No answer within `timeoutMs` (3 s) is `ETIMEDOUT`. */
  async connect({ from, to, port, timeoutMs = 3_000 }: Wish): Promise<Connected> {
    this.#agent ??= this.#startAgent();
    await this.#agent;
    const socket = connect(this.#socketPath);
    socket.on("error", () => socket.destroy());
    socket.write(`${JSON.stringify({ from, to, port, timeoutMs: patience(timeoutMs) })}\n`);
    const answer = await firstLine(socket);
    const connected = /"connected":true/.test(answer);
    if (connected) return { ok: true, socket };
    socket.destroy();
    return { ok: false, code: /"code":"(\w+)"/.exec(answer)?.[1] ?? `no answer of the agent: ${answer}` };
  }

  /** A port on the test's own loopback that leads out through this host, for clients that open their own sockets. */
  async forward(wish: Wish): Promise<number> {
    const server = createServer((local) => {
      local.on("error", () => local.destroy());
      void this.connect(wish).then((remote) => {
        if (!remote.ok) local.destroy();
        else local.pipe(remote.socket).pipe(local);
      });
    });
    this.#forwards.add(server);
    server.listen(0, "127.0.0.1").unref();
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  }

  /** Started with the first connection: most hosts of a lab make none. */
  async #startAgent(): Promise<ChildProcess> {
    const program = fileURLToPath(new URL("agent.ts", import.meta.url));
    return this.spawnReady([process.execPath, program, this.#socketPath]);
  }
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
