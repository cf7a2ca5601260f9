import { createHmac } from "node:crypto";
import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Severity } from "../../core/alerts/alerts.ts";
import { type AlertLanguage, alertFrames } from "../../core/alerts/frames.ts";
import { codeOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { isoTime } from "../../core/time.ts";
import type { AlertMessage } from "../../guard/alerts/ports.ts";
import { textWithin } from "../../guard/alerts/words.ts";
import type { Names } from "../../guard/network-ports.ts";
import type { Outcome } from "../../guard/ports.ts";

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
  const signed =
    key === null
      ? {}
      : {
          "webhook-signature": `v1,${createHmac("sha256", key).update(`${id}.${nowSeconds}.${body}`).digest("base64")}`,
        };
  return post(url, body, { ...stamped, ...signed });
}

const NTFY_PRIORITY: Readonly<Record<Severity, number>> = { info: 2, warning: 4, critical: 5 };
const NTFY_TAG: Readonly<Record<Severity, string>> = {
  info: "information_source",
  warning: "warning",
  critical: "rotating_light",
};

/** Bytes of UTF-8. ntfy turns 4,096 and more into an attachment, or answers 413 (its setting message-size-limit). */
const NTFY_MOST = 3_900;

/** ntfy, "publish as JSON": to the server's root, the topic is the last part of the address. */
export function ntfyRequest(url: string, message: AlertMessage, sender: Sender, token: string | null): HttpRequest {
  const { topic, root } = topicOf(url);
  const isOver = message.kind === "resolved";
  const frame = Buffer.byteLength(textOf({ ...message, body: "" }, sender));
  const body = JSON.stringify({
    topic,
    title: titleOf(message, sender),
    message: textWithin(textOf({ ...message, body: textWithin(message.body, NTFY_MOST - frame) }, sender), NTFY_MOST),
    priority: isOver ? 3 : NTFY_PRIORITY[message.severity],
    tags: [isOver ? "white_check_mark" : NTFY_TAG[message.severity]],
  });
  return post(root, body, token === null ? {} : { authorization: `Bearer ${token}` });
}

/** The topic of `https://ntfy.sh/my-topic`. */
export function topicOf(url: string): Readonly<{ topic: string; root: string }> {
  const parsed = new URL(url);
  const parts = parsed.pathname.split("/").filter((part) => part !== "");
  const topic = parts.pop() ?? "";
  return { topic, root: `${parsed.origin}/${parts.map((part) => `${part}/`).join("")}` };
}

const GOTIFY_PRIORITY: Readonly<Record<Severity, number>> = { info: 2, warning: 5, critical: 9 };

export function gotifyRequest(url: string, message: AlertMessage, sender: Sender, token: string): HttpRequest {
  const body = JSON.stringify({
    title: titleOf(message, sender),
    message: textOf(message, sender),
    priority: message.kind === "resolved" ? 4 : GOTIFY_PRIORITY[message.severity],
  });
  return post(`${url.replace(/\/+$/, "")}/message`, body, { "x-gotify-key": token });
}

const APPRISE_TYPE: Readonly<Record<Severity, string>> = { info: "info", warning: "warning", critical: "failure" };

/** The Apprise API: `https://apprise.example/notify/KEY`. */
export function appriseRequest(url: string, message: AlertMessage, sender: Sender): HttpRequest {
  const type = message.kind === "resolved" ? "success" : APPRISE_TYPE[message.severity];
  const body = JSON.stringify({ title: titleOf(message, sender), body: textOf(message, sender), type, format: "text" });
  return post(url, body, {});
}

function post(url: string, body: string, headers: Readonly<Record<string, string>>): HttpRequest {
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

/**
 * Resolves the receivers of alerts with our resolver. If it does not know the name or does not answer, uses the
 * machine's resolver. So names of a container network or /etc/hosts work, and an alert that our resolver is down
 * still arrives. Strangers cannot choose these names.
 */
export function receiverLookup(names: Names): LookupFunction {
  const find = async (...[hostname, options, callback]: Parameters<LookupFunction>): Promise<void> => {
    const address = isIP(hostname) === 0 ? await firstAddress(names, hostname) : undefined;
    if (address === undefined) systemLookup(hostname, options, callback);
    else if (options.all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  return (...wish) => void find(...wish);
}

async function firstAddress(names: Names, hostname: string): Promise<string | undefined> {
  const answer = await names.addresses(hostname);
  return answer.type === "addresses" ? answer.addresses[0] : undefined;
}
