import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { patience } from "../kit/patience.ts";
import { SERVER } from "./network.ts";
import { PASSWORD, type Product } from "./product.ts";
import { eachOf, until } from "./wait.ts";

/** A thousand may wait for their turn on a busy machine. */
const ANSWER_MS = 120_000;

/** A password that a client of Postfix sends. */
export type Credentials = Readonly<{ from: string; name: string; password?: string }>;

/**
 * Sends sign-ins to Dovecot as Postfix does, over its socket and protocol (Dovecot's authentication protocol 1.2,
 * client side), so that thousands can be pending at once from any address, without a TLS connection each.
 */
export class SaslClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (signedIn: boolean) => void>();
  #last = 0;
  #rest = "";

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk.toString("latin1")));
    socket.on("error", () => socket.destroy());
    socket.write(`VERSION\t1\t1\nCPID\t${process.pid}\n`);
  }

  static async open({ layout }: Product): Promise<SaslClient> {
    return until("Dovecot listens", async () => {
      const socket = connect(join(layout.postfixQueue, "private", "auth"));
      await once(socket, "connect");
      return new SaslClient(socket);
    });
  }

  /** Whether it signed in. Dovecot delays the answer to a failure; without one this throws, so that no test waits forever. */
  signIn({ from, name, password = PASSWORD }: Credentials): Promise<boolean> {
    const id = ++this.#last;
    const response = Buffer.from(`\0${name}\0${password}`).toString("base64");
    const server = from.includes(":") ? SERVER.v6 : SERVER.v4;
    this.#socket.write(
      `AUTH\t${id}\tPLAIN\tservice=smtp\tnologin\tlip=${server}\trip=${from}\tsecured\tresp=${response}\n`,
    );
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no answer to a sign-in as ${name} from ${from}`)),
        patience(ANSWER_MS),
      );
      this.#waiting.set(id, (signedIn) => {
        clearTimeout(timer);
        resolve(signedIn);
      });
    });
  }

  /** Tries all of them with this concurrency; returns how many signed in. */
  async signInAll(all: readonly Credentials[], atOnce: number): Promise<number> {
    let signedIn = 0;
    await eachOf(all, atOnce, async (one) => {
      if (await this.signIn(one)) signedIn += 1;
    });
    return signedIn;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const [word = "", id = ""] = line.split("\t");
      if (word !== "OK" && word !== "FAIL") continue;
      this.#waiting.get(Number(id))?.(word === "OK");
      this.#waiting.delete(Number(id));
    }
  }
}
