import assert from "node:assert/strict";
import { request } from "node:http";
import { request as requestOverTls } from "node:https";
import { patience } from "../kit/patience.ts";
import type { Host, Wish } from "./host.ts";

export type WebAnswer = Readonly<{
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
  /** Parses the body. Throws if it is not JSON. */
  json: () => unknown;
}>;
type WebRequest = Readonly<{ body?: unknown; headers?: Readonly<Record<string, string>> | undefined }>;

/** How long to wait for the head of an answer. */
const ANSWER_MS = 20_000;

/** A client of HTTP on a host of the lab, with a credential that it sends each time. */
export class WebClient {
  readonly #port: number;
  /** Asked for over TLS by this name; null: without TLS. */
  readonly #name: string | null;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(port: number, name: string | null, headers: Readonly<Record<string, string>>) {
    this.#port = port;
    this.#name = name;
    this.#headers = headers;
  }

  static async from(host: Host, wish: Wish): Promise<WebClient> {
    return new WebClient(await host.forward(wish), null, {});
  }

  /** Connects on the host itself, by default to the dashboard's port. */
  static local(host: Host, port = 3_000): Promise<WebClient> {
    return WebClient.from(host, { from: "127.0.0.1", to: "127.0.0.1", port });
  }

  /** Like a browser at `https://NAME/`. Accepts any certificate. */
  static async overTls(host: Host, wish: Wish, name: string): Promise<WebClient> {
    return new WebClient(await host.forward(wish), name, { host: name });
  }

  /** The same client with this token. */
  bearing(token: string): WebClient {
    return this.with({ authorization: `Bearer ${token}` });
  }

  /** The same client with other headers. */
  with(headers: Readonly<Record<string, string>>): WebClient {
    return new WebClient(this.#port, this.#name, { ...this.#headers, ...headers });
  }

  /** The same client, signed in to the dashboard: as the administrator, or as an account. */
  async signedIn(body: Readonly<{ account?: string; password: string }>): Promise<WebClient> {
    const { status, headers, text } = await this.ask("POST", "/api/v1/login", { body });
    assert.equal(status, 200, text);
    return this.with({ cookie: headers["set-cookie"]?.split(";")[0] ?? assert.fail(text) });
  }

  get cookie(): string {
    return this.#headers["cookie"] ?? "";
  }

  /** A body of text is sent unchanged, anything else as JSON. */
  async ask(method: string, path: string, { body, headers = {} }: WebRequest = {}): Promise<WebAnswer> {
    const { status, headers: received, text, ended } = await this.#open(method, path, { body, headers });
    await ended;
    return { status, headers: received, text: text(), json: () => JSON.parse(text()) as unknown };
  }

  /** An open-ended answer: server-sent events. */
  async stream(path: string, headers: Readonly<Record<string, string>> = {}): Promise<WebStream> {
    return this.#open("GET", path, { headers });
  }

  #open(method: string, path: string, { body, headers }: WebRequest): Promise<WebStream> {
    const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const type = sent === undefined ? {} : { "content-type": "application/json" };
    const all = { ...type, ...this.#headers, ...headers };
    return new Promise((resolve, reject) => {
      const wanted = { host: "127.0.0.1", port: this.#port, method, path, headers: all, agent: false };
      const asked =
        this.#name === null
          ? request(wanted)
          : requestOverTls({ ...wanted, servername: this.#name, rejectUnauthorized: false });
      const timer = setTimeout(() => asked.destroy(new Error(`${method} ${path}: no answer`)), patience(ANSWER_MS));
      asked.on("error", reject);
      asked.on("response", (response) => {
        clearTimeout(timer);
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        const ended = new Promise<void>((done) => response.once("close", done));
        const received = Object.entries(response.headers).map(
          ([name, value]) => [name, [value].flat().join("\n")] as const,
        );
        const close = (): void => void asked.destroy();
        const status = response.statusCode ?? 0;
        resolve({ status, headers: Object.fromEntries(received), text: () => text, ended, close });
      });
      asked.end(sent);
    });
  }
}

type WebStream = Readonly<{
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Everything received so far. */
  text: () => string;
  /** Resolves once the server has ended it. */
  ended: Promise<void>;
  close: () => void;
}>;

type ServerSent = Readonly<{ name: string; id: string | null; data: Readonly<Record<string, unknown>> }>;

/** The complete events of a stream (HTML Living Standard, 9.2.6) that have no names, without comments and `retry`. */
export const serverSent = (text: string): readonly Readonly<{ id: number; data: ServerSent["data"] }>[] =>
  namedEvents(text).flatMap(({ name, id, data }) => (name === "" ? [{ id: Number(id), data }] : []));

/** The same of a stream whose events have names. */
export function namedEvents(text: string): readonly ServerSent[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .flatMap((block) => {
      const [, id = null, name = "", data = ""] =
        /^(?:id: (\d+)\n)?(?:event: (\w+)\n)?data: (\{.*\})$/.exec(block) ?? [];
      if (data === "") return [];
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it starts with a brace
      return [{ name, id, data: JSON.parse(data) as ServerSent["data"] }];
    });
}
