import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Host } from "./host.ts";
import { type Certificate, makeCertificate, makeExpiringCertificate } from "./tls-server.ts";

/** See `faulty-smtp-program.ts` for its ports. */
export async function startFaulty(host: Host, address: string, { cert, key }: Certificate, doors: readonly string[]) {
  const ports = doors.map((door) => Number.parseInt(door, 10));
  const program = new URL("faulty-smtp-program.ts", import.meta.url);
  await startProgram(host, program, [address, cert, key, ...doors], ports);
}

/** A server with faults that `startBad` lacks. Its certificate becomes valid in a day. */
export async function startWorse(host: Host, directory: string, address: string): Promise<void> {
  const certificate = await makeExpiringCertificate(directory, "worse", "worse.test", 5 * 24);
  await startFaulty(host, address, certificate, ["25=injectable", "465=tls", "587=plain"]);
}

/** Returns the file that the server tries to create through its client's shell: see `hostile-mail-program.ts`. */
export async function startHostile(host: Host, directory: string, address: string): Promise<string> {
  const file = join(directory, "made-by-hostile");
  const { cert, key } = await makeCertificate(directory, "hostile", `\`touch ${file}\``);
  const program = new URL("hostile-mail-program.ts", import.meta.url);
  await startProgram(host, program, [address, cert, key, file], [25, 465, 587, 993]);
  return file;
}

/** Accepts connections to these ports, and sends nothing. */
export async function startSilent(host: Host, address: string, ports: readonly number[]): Promise<void> {
  const serve = `require("net").createServer((socket) => socket.on("error", () => socket.destroy()))`;
  const listen = `for (const port of [${ports.join()}]) ${serve}.listen(port, "${address}")`;
  await host.spawnServer([process.execPath, "-e", listen], address, ...ports);
}

/** `argv`: starts with the address at which it listens. */
async function startProgram(host: Host, program: URL, argv: readonly string[], ports: readonly number[]) {
  await host.spawnServer([process.execPath, fileURLToPath(program), ...argv], argv[0] ?? "", ...ports);
}
