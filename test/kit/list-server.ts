import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/**
 * How a name server of a block list behaves. `lying`: it names everybody. `blocked`: it serves us not, and says so.
 * `slow`: right, but late. `dead`: no answer at all.
 */
export type ListManner = "honest" | "lying" | "blocked" | "slow" | "dead";
export const LIST_MANNERS: readonly ListManner[] = ["honest", "lying", "blocked", "slow", "dead"];
/** `listed`: what stands before the zone in a name (`7.113.0.203`), with the address that is answered. */
export type ListZone = Readonly<{ zone: string; manner: ListManner; listed: Readonly<Record<string, string>> }>;

/** RFC 5782, section 5; the second is ::FFFF:7F00:2. */
export const TEST_POINTS: Readonly<Record<string, string>> = {
  "2.0.0.127": "127.0.0.2",
  [`2.0.0.0.0.0.f.7.f.f.f.f${".0".repeat(20)}`]: "127.0.0.2",
};

const SLOW_MS = 2_500;
const A = 1;
const CLASS_IN = 1;
const NXDOMAIN = 3;

/** A name server of one zone on UDP (RFC 1035), just enough of one for a resolver. Nothing that it says is kept. */
export class ListServer {
  /** Every name that was asked for, in order. */
  readonly asked: string[] = [];
  readonly #socket: Socket = createSocket("udp4");
  readonly #address: string;
  #zone: ListZone;

  private constructor(address: string, zone: ListZone) {
    this.#address = address;
    this.#zone = zone;
    this.#socket.on("message", (query, from) => {
      const answer = this.#answer(query);
      if (answer === null) return;
      const send = (): void => this.#socket.send(answer, from.port, from.address, () => {});
      if (this.#zone.manner === "slow") setTimeout(send, SLOW_MS).unref();
      else send();
    });
  }

  /** Port 0 stands for any that is free. */
  static async start(address: string, port: number, zone: ListZone): Promise<ListServer> {
    const server = new ListServer(address, zone);
    server.#socket.bind(port, address);
    await once(server.#socket, "listening");
    return server;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  become(zone: ListZone): void {
    this.#zone = zone;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer | null {
    const { name, type, end } = readQuestion(query);
    this.asked.push(name);
    const { zone, manner } = this.#zone;
    if (manner === "dead") return null;
    if (name === `ns.${zone}`) return reply(query, end, type === A ? this.#address : null);
    if (manner === "lying" || manner === "blocked") {
      const address = manner === "lying" ? "127.0.0.2" : "127.255.255.254";
      return reply(query, end, type === A && name !== zone ? address : null);
    }
    const label = name.slice(0, -zone.length - 1);
    const listed = { ...TEST_POINTS, ...this.#zone.listed };
    if (listed[label] !== undefined) return reply(query, end, type === A ? listed[label] : null);
    const exists = name === zone || Object.keys(listed).some((one) => one.endsWith(`.${label}`));
    return reply(query, end, null, exists ? 0 : NXDOMAIN);
  }
}

function readQuestion(query: Buffer): Readonly<{ name: string; type: number; end: number }> {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length).toLowerCase());
    at += length + 1;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** With one address, or none; time to live 0, so that a change of manner counts at once. */
function reply(query: Buffer, end: number, address: string | null, code = 0): Buffer {
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x84_00 | code, 2);
  for (const [at, count] of [
    [4, 1],
    [6, address === null ? 0 : 1],
    [8, 0],
    [10, 0],
  ] as const)
    head.writeUInt16BE(count, at);
  if (address === null) return head;
  const record = Buffer.from([0xc0, 12, 0, A, 0, CLASS_IN, 0, 0, 0, 0, 0, 4, ...address.split(".").map(Number)]);
  return Buffer.concat([head, record]);
}
