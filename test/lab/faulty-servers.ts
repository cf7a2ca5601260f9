import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Host } from "./host.ts";
import { type Certificate, makeCertificate, makeExpiringCertificate } from "./tls-server.ts";
import { until } from "./wait.ts";

type Faulty = Readonly<{ address: string; certificate: Certificate; doors: readonly string[] }>;

/** See `faulty-smtp-program.ts` for its ports. */
export async function startFaulty(host: Host, { address, certificate, doors }: Faulty): Promise<void> {
  const program = new URL("faulty-smtp-program.ts", import.meta.url);
  startProgram(host, program, [address, certificate.cert, certificate.key, ...doors]);
  await untilOpen(
    host,
    address,
    doors.map((door) => Number.parseInt(door, 10)),
  );
}

/** A server without a fault is one of {@link BadServer}'s; its certificate becomes valid in a day. */
export async function startWorse(host: Host, directory: string, address: string): Promise<void> {
  const certificate = await makeExpiringCertificate(directory, "worse", "worse.test", 5 * 24);
  await startFaulty(host, { address, certificate, doors: ["25=injectable", "465=tls", "587=plain"] });
}

/** Returns the file that it tries to create through its client's shell: see `hostile-mail-program.ts`. */
export async function startHostile(host: Host, directory: string, address: string): Promise<string> {
  const file = join(directory, "made-by-hostile");
  const { cert, key } = await makeCertificate(directory, "hostile", `\`touch ${file}\``);
  startProgram(host, new URL("hostile-mail-program.ts", import.meta.url), [address, cert, key, file]);
  await untilOpen(host, address, [25, 465, 587, 993]);
  return file;
}

/** Accepts connections to these ports, and sends nothing. */
export async function startSilent(host: Host, address: string, ports: readonly number[]): Promise<void> {
  const serve = `require("net").createServer((socket) => socket.on("error", () => socket.destroy()))`;
  const listen = `for (const port of [${ports.join()}]) ${serve}.listen(port, "${address}")`;
  spawnInside(host, [process.execPath, "-e", listen]);
  await untilOpen(host, address, ports);
}

/** It ends with its namespace. */
export function spawnInside(host: Host, argv: readonly string[]): void {
  const [command = "", ...rest] = host.inside(argv);
  spawn(command, rest, { stdio: "ignore" });
}

export async function untilOpen(host: Host, address: string, ports: readonly number[]): Promise<void> {
  for (const port of ports)
    await until(`${address} answers on ${port}`, async () => {
      const connected = await host.connect({ from: address, to: address, port });
      if (connected.ok) connected.socket.destroy();
      return connected.ok;
    });
}

function startProgram(host: Host, program: URL, argv: readonly string[]): void {
  spawnInside(host, [process.execPath, fileURLToPath(program), ...argv]);
}
