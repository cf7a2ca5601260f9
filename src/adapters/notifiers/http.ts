import type { LookupFunction } from "node:net";
import { codeOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import type { Outcome } from "../../engine/ports.ts";

export type HttpWorld = Readonly<{
  lookup: LookupFunction;
  /** Certificate authorities for receivers; undefined means Node's own. */
  authorities: readonly string[] | undefined;
}>;

export type HttpRequest = Readonly<{
  method: "GET" | "POST";
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}>;

const DEADLINE_MS = 10_000;
/** How much of an answer is read, for the log. */
const MOST_BYTES = 2_000;
const SHOWN = 200;

/** Ok for an answer from 200 to 299. Redirects are not followed: they could lead anywhere. Never rejects. */
export async function sendHttp(wish: HttpRequest, { lookup, authorities }: HttpWorld): Promise<Outcome> {
  const url = new URL(wish.url);
  const secure = url.protocol === "https:";
  const body = wish.body ?? "";
  // Loaded for the first alert: until then it would be 3 MB that most servers never use.
  const { request: open } = await (secure ? import("node:https") : import("node:http"));
  return new Promise((resolve) => {
    const request = open(url, {
      method: wish.method,
      lookup,
      agent: false,
      ...(secure && authorities !== undefined ? { ca: [...authorities] } : {}),
      headers: {
        "user-agent": "GhostInbox",
        ...(wish.method === "POST" ? { "content-length": Buffer.byteLength(body) } : {}),
        ...wish.headers,
      },
    });
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => finish(failed(`no answer within ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
    // An error after the outcome changes nothing.
    request.on("error", (error) => finish(failed(wordsOf(error))));
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      let said = "";
      const tell = (): void => finish(failed(explain(status, said)));
      response.on("error", tell);
      if (status >= 200 && status < 300) {
        finish({ ok: true });
        return;
      }
      response.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
        if (said.length > MOST_BYTES) tell();
      });
      response.on("end", tell);
    });
    request.end(body);
  });
}

function explain(status: number, said: string): string {
  const words = printable(said.trim(), SHOWN);
  const redirect = status >= 300 && status < 400 ? ", a redirect, which is not followed" : "";
  return `it answered ${status}${redirect}${words === "" ? "" : `: ${words}`}`;
}

/** With several addresses, the combined error has no message. */
function wordsOf(error: Error): string {
  const code = codeOf(error);
  return printable(error.message === "" ? code : error.message, SHOWN);
}

function failed(reason: string): Outcome {
  return { ok: false, reason };
}
