import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { patience } from "../kit/patience.ts";
import { serverFor } from "./mail.ts";
import { PASSWORD, type Product } from "./product.ts";
import { eachOf, until } from "./wait.ts";

/** A thousand may wait for their turn on a busy machine. */
const ANSWER_MS = 120_000;

/** A password that a client of Postfix sends. */
export type Credentials = Readonly<{ from: string; name: string; password?: string }>;

export type SaslClient = Awaited<ReturnType<typeof openSasl>>;

/**
 * Sends sign-ins to Dovecot as Postfix does, over its socket and protocol (Dovecot's authentication protocol 1.2,
 * client side), so that thousands can be pending at once from any address, without a TLS connection each.
 */
export async function openSasl({ layout }: Product) {
  const socket = await until("Dovecot listens", async () => {
    const made = connect(join(layout.postfixQueue, "private", "auth"));
    await once(made, "connect");
    return made;
  });
  const waiting = new Map<number, (signedIn: boolean) => void>();
  let last = 0;
  let rest = "";
  socket.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [word = "", id = ""] = line.split("\t");
      if (word !== "OK" && word !== "FAIL") continue;
      waiting.get(Number(id))?.(word === "OK");
      waiting.delete(Number(id));
    }
  });
  socket.on("error", () => socket.destroy());
  socket.write(`VERSION\t1\t1\nCPID\t${process.pid}\n`);

  /** Whether it signed in. Dovecot delays the answer to a failure; without one this throws, so that no test waits forever. */
  function signIn({ from, name, password = PASSWORD }: Credentials): Promise<boolean> {
    const id = ++last;
    const response = Buffer.from(`\0${name}\0${password}`).toString("base64");
    const where = `lip=${serverFor(from)}\trip=${from}`;
    socket.write(`AUTH\t${id}\tPLAIN\tservice=smtp\tnologin\t${where}\tsecured\tresp=${response}\n`);
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`no answer to a sign-in as ${name} from ${from}`));
      const timer = setTimeout(fail, patience(ANSWER_MS));
      waiting.set(id, (signedIn) => {
        clearTimeout(timer);
        resolve(signedIn);
      });
    });
  }

  /** Tries all of them with this concurrency; returns how many signed in. */
  async function signInAll(all: readonly Credentials[], atOnce: number): Promise<number> {
    let signedIn = 0;
    await eachOf(all, atOnce, async (one) => {
      if (await signIn(one)) signedIn += 1;
    });
    return signedIn;
  }

  return { signIn, signInAll, close: (): void => void socket.destroy() };
}
