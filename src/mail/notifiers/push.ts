import { createHmac } from "node:crypto";
import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Severity } from "../../core/alerts/alerts.ts";
import { type AlertLanguage, alertFrames } from "../../core/alerts/frames.ts";
import { codeOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { isoTime } from "../../core/time.ts";
import type { AlertMessage, Sent } from "../../guard/alerts/ports.ts";
import { textWithin } from "../../guard/alerts/words.ts";
import type { NameLookup } from "../../guard/network-ports.ts";
import type { Failed } from "../../guard/ports.ts";

/** The host and the contacts that every alert names, and the language of the alert. */
export type Sender = Readonly<{ host: string; contacts: readonly string[]; language: AlertLanguage }>;

/** One line, as a subject or a heading. */
export function titleOf(message: AlertMessage, { host, language }: Sender): string {
  const isCritical = message.kind === "opened" && message.severity === "critical";
  const weight = isCritical ? `${alertFrames[language].critical}: ` : "";
  return `[${host}] ${weight}${message.title}`;
}

export function textOf(message: AlertMessage, { host, contacts, language }: Sender): string {
  const frame = alertFrames[language];
  const lines = [
    `${frame.server}: ${host}`,
    `${frame.time}: ${isoTime(message.at)}`,
    `${frame.severity}: ${frame.weights[message.severity]}`,
    ...(contacts.length === 0 ? [] : [`${frame.contacts}: ${contacts.join("; ")}`]),
  ];
  return `${message.body}\n\n${lines.join("\n")}\n`;
}

/**
 * Standard Webhooks 1.0: id, timestamp and signature in headers, `{type, timestamp, data}` as the body. The timestamp
 * is that of this attempt, in seconds since the epoch. Without a key the message is not signed.
 */
export function webhookRequest(
  url: string,
  message: AlertMessage,
  { sender, key, nowSeconds }: Readonly<{ sender: Sender; key: Buffer | null; nowSeconds: number }>,
): HttpRequest {
  const { id, kind, at, severity, code, subject } = message;
  const { host, contacts } = sender;
  const data = { severity, code, subject, title: message.title, text: textOf(message, sender), host, contacts };
  const body = JSON.stringify({ type: `alert.${kind}`, timestamp: isoTime(at), data });
  const stamped = { "webhook-id": id, "webhook-timestamp": String(nowSeconds) };
  if (key === null) return post(url, body, stamped);
  const signature = createHmac("sha256", key).update(`${id}.${nowSeconds}.${body}`).digest("base64");
  return post(url, body, { ...stamped, "webhook-signature": `v1,${signature}` });
}

/** How each receiver shows an alert, or its end. */
const STYLES = {
  info: { ntfy: 2, tag: "information_source", gotify: 2, apprise: "info" },
  warning: { ntfy: 4, tag: "warning", gotify: 5, apprise: "warning" },
  critical: { ntfy: 5, tag: "rotating_light", gotify: 9, apprise: "failure" },
  resolved: { ntfy: 3, tag: "white_check_mark", gotify: 4, apprise: "success" },
} as const satisfies Record<Severity | "resolved", unknown>;

function styleOf({ kind, severity }: AlertMessage) {
  return STYLES[kind === "resolved" ? kind : severity];
}

/** Bytes of UTF-8. ntfy turns 4,096 and more into an attachment, or answers 413 (its setting message-size-limit). */
const NTFY_MOST = 3_900;

/** ntfy, "publish as JSON": to the server's root, the topic is the last part of the address. */
export function ntfyRequest(url: string, message: AlertMessage, sender: Sender, token: string | null): HttpRequest {
  const { topic, root } = topicOf(url);
  const { ntfy, tag } = styleOf(message);
  const frame = Buffer.byteLength(textOf({ ...message, body: "" }, sender));
  // Long contacts, which come last, are cut rather than the body.
  const most = Math.max(NTFY_MOST - frame, NTFY_MOST / 2);
  const body = JSON.stringify({
    topic,
    title: titleOf(message, sender),
    message: textWithin(textOf({ ...message, body: textWithin(message.body, most) }, sender), NTFY_MOST),
    priority: ntfy,
    tags: [tag],
  });
  return post(root, body, token === null ? {} : { authorization: `Bearer ${token}` });
}

/** The topic of `https://ntfy.sh/my-topic`. */
function topicOf(url: string): Readonly<{ topic: string; root: string }> {
  const parsed = new URL(url);
  const parts = parsed.pathname.split("/").filter((part) => part !== "");
  const topic = parts.pop() ?? "";
  parsed.pathname = parts.map((part) => `${part}/`).join("");
  return { topic, root: parsed.href };
}

export function gotifyRequest(url: string, message: AlertMessage, sender: Sender, token: string): HttpRequest {
  const body = JSON.stringify({
    title: titleOf(message, sender),
    message: textOf(message, sender),
    priority: styleOf(message).gotify,
  });
  return post(`${url.replace(/\/+$/, "")}/message`, body, { "x-gotify-key": token });
}

/** The Apprise API: `https://apprise.example/notify/KEY`. */
export function appriseRequest(url: string, message: AlertMessage, sender: Sender): HttpRequest {
  const { apprise: type } = styleOf(message);
  const body = JSON.stringify({ title: titleOf(message, sender), body: textOf(message, sender), type, format: "text" });
  return { ...post(url, body), noContent: "it has no configuration for this key", partial: 424 };
}

function post(url: string, body: string, headers: HttpRequest["headers"] = {}): HttpRequest {
  return { method: "POST", url, body, headers: { "content-type": "application/json", ...headers } };
}

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
  /** Why an answer of 204 is a failure, if it is one. */
  noContent?: string;
  /** The status of an answer that means that some services behind the receiver failed, while others may have the message. */
  partial?: number;
}>;

const DEADLINE_MS = 10_000;
/** The timeout for each address of a receiver but the last, in ms. Node's half second is too short for a distant one. */
export const PATIENT = { autoSelectFamilyAttemptTimeout: 2_000 };
/** How much of an answer is read, for the log. */
const MOST_BYTES = 2_000;
const QUOTED_CHARACTERS = 200;
/** A shorter part of an address, such as `notify`, may be one of the receiver's own words. */
const LEAST_SECRET_CHARACTERS = 8;

/** Ok for an answer from 200 to 299. Redirects are not followed: they could lead anywhere. Never rejects. */
export async function sendHttp(wish: HttpRequest, { lookup, authorities }: HttpWorld): Promise<Sent> {
  const url = new URL(wish.url);
  const secure = url.protocol === "https:";
  const body = wish.body ?? "";
  // Loaded for the first alert, because it takes 3 MB that most servers never use.
  const { request: open } = await (secure ? import("node:https") : import("node:http"));
  return new Promise((resolve) => {
    const request = open(url, {
      method: wish.method,
      lookup,
      agent: false,
      ...PATIENT,
      ...(secure && authorities !== undefined ? { ca: [...authorities] } : {}),
      headers: {
        "user-agent": "GhostInbox",
        ...(wish.method === "POST" ? { "content-length": Buffer.byteLength(body) } : {}),
        ...wish.headers,
      },
    });
    const finish = (outcome: Sent): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => finish(failed(`no answer within ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
    // An error after the outcome changes nothing. With several addresses, the combined error has no message.
    request.on("error", (error) => finish(failed(printable(error.message || codeOf(error), QUOTED_CHARACTERS))));
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      let answer = "";
      const finishWithFailure = (): void => {
        const failure = failed(failureText(url, status, answer));
        finish(status === wish.partial ? { ...failure, isPartial: true } : failure);
      };
      response.on("error", finishWithFailure);
      const { noContent } = wish;
      if (status >= 200 && status < 300) {
        finish(status === 204 && noContent !== undefined ? failed(`it answered 204: ${noContent}`) : { ok: true });
        return;
      }
      response.on("data", (chunk: Buffer) => {
        answer += chunk.toString("utf8");
        if (answer.length > MOST_BYTES) finishWithFailure();
      });
      response.on("end", finishWithFailure);
    });
    request.end(body);
  });
}

/** Quotes the receiver's answer, unless it repeats the address, which may contain a secret, as some error pages do. */
function failureText({ pathname, search }: URL, status: number, answer: string): string {
  const parts = `${pathname}${search}`.split(/[/?&=]/).filter((part) => part !== "");
  const isRepeated = parts.some((part) => answer.includes(part.length < LEAST_SECRET_CHARACTERS ? `/${part}` : part));
  const words = isRepeated ? "" : printable(answer.trim(), QUOTED_CHARACTERS);
  const redirect = status >= 300 && status < 400 ? ", a redirect, which is not followed" : "";
  return `it answered ${status}${redirect}${words === "" ? "" : `: ${words}`}`;
}

function failed(reason: string): Failed {
  return { ok: false, reason };
}

/**
 * Resolves the receivers of alerts with our resolver. If it does not know the name or does not answer, uses the
 * machine's resolver. So names of a container network or /etc/hosts work, and an alert that our resolver is down
 * still arrives. Strangers cannot choose these names.
 */
export function receiverLookup(names: Pick<NameLookup, "addresses">): LookupFunction {
  const find = async (...[hostname, options, callback]: Parameters<LookupFunction>): Promise<void> => {
    const answer = isIP(hostname) === 0 ? await names.addresses(hostname) : null;
    // The name servers of some receivers do not answer queries for IPv6.
    const found = (answer?.ok === true ? answer.found : answer?.partial) ?? [];
    const addresses = found.map((address) => ({ address, family: isIP(address) }));
    if (addresses.length === 0) systemLookup(hostname, options, callback);
    // Node asks for all addresses, and connects to the first that answers.
    else callback(null, addresses);
  };
  return (...wish) => void find(...wish);
}
