import { hash, randomUUID } from "node:crypto";
import { effectOf, type WebVerb } from "../../admin/declare/control.ts";
import { DAY_MS, later, type Millis } from "../../core/time.ts";
import { API_LIMITS } from "./limits.ts";
import { problem, Uncertain } from "./problem.ts";
import type { Route } from "./route.ts";

/** The header with which a request is carried out only once, however often it is sent (draft-ietf-httpapi-idempotency-key-header). */
export const REPEAT_KEY = "Idempotency-Key";
/** How long a key is remembered. */
export const REPEAT_MS = DAY_MS;
/** A string of Structured Fields (RFC 9651, 3.3.3), or the same without its quotes. */
const KEY = /^(?:"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\w.:/+=-]{1,255}))$/;
type StoredAnswer = Readonly<{ status: number; headers: Headers; body: string }>;
/** `running`: in progress; `notKept`: answered, but the answer is not stored; `uncertain`: possibly carried out. */
type NoAnswer = "running" | "notKept" | "uncertain";
type Entry = { readonly at: Millis; readonly asked: string; answer: StoredAnswer | NoAnswer };

type Repeatable = Readonly<{ row: Route; key: string; url: string; body: unknown; now: Millis }>;

/** Whether a route honours the key: every POST that changes something for sessions and tokens. PUT and DELETE need none. */
export function acceptsRepeatKey({ method, who, asks }: Pick<Route, "method" | "who" | "asks">): boolean {
  return method === "POST" && who === "session_or_token" && asks !== undefined && asks !== "settings_preview";
}

/** For these only the fact of an answer is stored, so that an attacker who compromises this program finds no tokens. */
function tellsSecret(asks: WebVerb | undefined): boolean {
  const effect = asks === undefined ? null : effectOf(asks);
  return effect?.lasts === true && effect.tellsSecret === true;
}

/**
 * Runs a request, or repeats the answer to the first one of this session or token with this key. Keeps answers only in memory, because
 * this program may not write to the disk. After a restart, repeating a ban or an allow-list entry has the same result, and repeating
 * a token fails because its name is taken.
 */
export function createRepeats() {
  /** By caller, then by key, oldest first. */
  const entries = new Map<string, Map<string, Entry>>();
  /** Requests are stored as hashes, which reveal nothing without this salt. */
  const salt = randomUUID();

  function forgetBefore(now: Millis): void {
    for (const [caller, own] of entries) {
      for (const [key, { at, answer }] of own) {
        // If the clock is set back, entries from the future are deleted too, so that none is kept for too long.
        if (now < later(at, REPEAT_MS) && now >= at) break;
        if (answer !== "running") own.delete(key);
      }
      if (own.size === 0) entries.delete(caller);
    }
  }

  return async (caller: string, asked: Repeatable, run: () => Promise<Response>): Promise<Response> => {
    const [, quoted, key = quoted] = KEY.exec(asked.key) ?? [];
    if (key === undefined) return problem("invalid_request", NO_KEY, { next: WRITE_IT });
    forgetBefore(asked.now);
    const same = hash("sha256", JSON.stringify([salt, asked.url, asked.body]), "base64url");
    const own = entries.getOrInsertComputed(caller, () => new Map());
    const known = own.get(key);
    if (known !== undefined) return answerOf(known, same);
    const all = entries.values().reduce((sum, { size }) => sum + size, 0);
    if (all >= API_LIMITS.keys || own.size >= API_LIMITS.keysOfOne) {
      const headers = { "retry-after": "3600" };
      return problem("too_many_keys", `No more requests with ${REPEAT_KEY} can be remembered today.`, { headers });
    }
    const entry: Entry = { at: asked.now, asked: same, answer: "running" };
    own.set(key, entry);
    try {
      const response = await run();
      if (response instanceof Uncertain) entry.answer = "uncertain";
      else if (response.status >= 300)
        own.delete(key); // may be sent again: an import skips accounts that it has added
      else entry.answer = tellsSecret(asked.row.asks) ? "notKept" : await storedAnswer(response);
      return response;
    } catch (error) {
      own.delete(key);
      throw error;
    }
  };
}

async function storedAnswer(response: Response): Promise<StoredAnswer | "notKept"> {
  const body = await response.clone().text();
  if (body.length > API_LIMITS.keptAnswer) return "notKept";
  return { status: response.status, headers: new Headers(response.headers), body };
}

function answerOf({ asked, answer }: Entry, same: string): Response {
  if (asked !== same) return problem("key_reused", `This ${REPEAT_KEY} was already used for a different request.`);
  if (typeof answer === "string") {
    const [code, detail] = NO_ANSWER[answer];
    return problem(code, detail);
  }
  const { body, ...init } = answer;
  return new Response(body, init);
}

const NO_ANSWER = {
  running: ["key_in_use", `The request with this ${REPEAT_KEY} is still in progress.`],
  notKept: [
    "key_done",
    `The request with this ${REPEAT_KEY} was carried out; its answer is not kept, because it is long or may hold a secret.`,
  ],
  uncertain: ["key_uncertain", `It is not known whether the request with this ${REPEAT_KEY} took full effect.`],
} as const satisfies Readonly<Record<NoAnswer, unknown>>;

const NO_KEY = `${REPEAT_KEY} must be 1 to 255 printable ASCII characters without quotes or backslashes.`;
const WRITE_IT = 'Write it as a text in quotes, such as "8e03978e-40d5-43dd-bc93-6894a57f9324".';
