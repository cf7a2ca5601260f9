import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { NXDOMAIN, readQuestion, reply, TYPES } from "./zone-server.ts";

/**
 * How a name server of a block list behaves. `lying`: it lists everyone. `blocked`: it refuses to serve us, and says so.
 * `slow`: correct, but late. `dead`: no answer at all.
 */
export const LIST_MANNERS = ["honest", "lying", "blocked", "slow", "dead"] as const;
export type ListManner = (typeof LIST_MANNERS)[number];
/** `listed`: the labels before the zone in a name (`7.113.0.203`), with the answered address. */
export type ListZone = Readonly<{ zone: string; manner: ListManner; listed: Readonly<Record<string, string>> }>;

/** RFC 5782, section 5; the second is ::FFFF:7F00:2. */
const TEST_POINTS: Readonly<Record<string, string>> = {
  "2.0.0.127": "127.0.0.2",
  [`2.0.0.0.0.0.f.7.f.f.f.f${".0".repeat(20)}`]: "127.0.0.2",
};

const SLOW_MS = 2_500;

/** A name server of one zone on UDP (RFC 1035), with just enough of the protocol for a resolver. Its answers are never cached. */
export class ListServer {
  /** Every queried name, in order. */
  readonly asked: string[] = [];
  readonly #socket: Socket = createSocket("udp4");
  #zone: ListZone;

  private constructor(zone: ListZone) {
    this.#zone = zone;
    this.#socket.on("message", (query, from) => {
      const answer = this.#answer(query);
      if (answer === null) return;
      const send = (): void => this.#socket.send(answer, from.port, from.address, () => {});
      if (this.#zone.manner === "slow") setTimeout(send, SLOW_MS).unref();
      else send();
    });
  }

  /** Port 0: any free one. */
  static async start(address: string, port: number, zone: ListZone): Promise<ListServer> {
    const server = new ListServer(zone);
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
    const question = readQuestion(query);
    const { name, type } = question;
    const say = (address: string): Buffer => reply(query, question, type === TYPES.A ? [address] : []);
    this.asked.push(name);
    const { zone, manner } = this.#zone;
    if (manner === "dead") return null;
    if (name === `ns.${zone}`) return say(this.#socket.address().address);
    if (manner === "lying" || manner === "blocked") {
      if (name === zone) return reply(query, question, []);
      return say(manner === "lying" ? "127.0.0.2" : "127.255.255.254");
    }
    const label = name.slice(0, -zone.length - 1);
    const listed = { ...TEST_POINTS, ...this.#zone.listed };
    if (listed[label] !== undefined) return say(listed[label]);
    const exists = name === zone || Object.keys(listed).some((one) => one.endsWith(`.${label}`));
    return reply(query, question, [], exists ? 0 : NXDOMAIN);
  }
}
