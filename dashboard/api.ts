import type { EventItem } from "../src/wire/control/items.ts";

/** The server said no; the message is its sentence. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "Refused";
    this.status = status;
  }
}

/** Throws `Refused`. */
export async function get<T>(path: string): Promise<T> {
  return answerOf<T>(await send(path, { method: "GET" }));
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  return answerOf<T>(await send(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export async function remove(path: string): Promise<void> {
  await answerOf(await send(path, { method: "DELETE" }));
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch {
    throw new Refused(0, "The server cannot be reached.");
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  const body: unknown = text === "" ? null : JSON.parse(text);
  if (!response.ok) throw new Refused(response.status, sentenceOf(body) ?? `The server answered ${response.status}.`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests of the server hold its answers to T
  return body as T;
}

/** One message of the live stream. */
export function eventOf(data: unknown): EventItem {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return JSON.parse(String(data)) as EventItem;
}

function sentenceOf(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("detail" in body)) return null;
  const next = "next" in body ? ` ${String(body.next)}` : "";
  return `${String(body.detail)}${next}`;
}
