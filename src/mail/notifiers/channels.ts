import { createHash } from "node:crypto";
import { ALERT_BODY } from "../../admin/declare/keeper.ts";
import { messageOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Keeper } from "../../guard/admin-ports.ts";
import type { AlertChannel, AlertMessage, Sent, Watcher } from "../../guard/alerts/ports.ts";
import { textWithin } from "../../guard/alerts/words.ts";
import type { Clock, Outcome } from "../../guard/ports.ts";
import { readNamed } from "../../host/root-files/files.ts";
import { hostAndPort, SUBMISSIONS } from "../../settings/ports.ts";
import type { Settings } from "../../settings/schema.ts";
import { mailText } from "./mail-text.ts";
import {
  appriseRequest,
  gotifyRequest,
  type HttpRequest,
  type HttpWorld,
  ntfyRequest,
  type Sender,
  sendHttp,
  webhookRequest,
} from "./push.ts";
import { type SmtpServer, sendMail } from "./smtp-client.ts";

export type ChannelWorld = Readonly<{ lookup: HttpWorld["lookup"]; clock: Clock }>;
/** `ownQueue` gives a message for `alerts.email` to our own Postfix. Never rejects. */
type AlertWorld = ChannelWorld & Readonly<{ ownQueue: AlertChannel["send"] }>;

/** A file that a setting names cannot be used. The message is for the administrator. */
class UnusableFile extends Error {}

/** Maximum size of a list of certificates. */
const MOST_BYTES = 1024 * 1024;
const MOST_FILE_CHARACTERS = 4_096;

/** Every channel in the settings. Files with secrets are read for each message, because they may change at any time. */
export function channelsOf(settings: Settings, world: AlertWorld): readonly AlertChannel[] {
  const sender = senderOf(settings);
  type Request = (url: string, message: AlertMessage) => HttpRequest;
  const push = (kind: string, urls: readonly string[], request: Request): readonly AlertChannel[] =>
    urls.map((url) => ({
      name: nameOf(kind, url),
      send: orUnusable((message) => sendHttp(request(url, message), { ...world, authorities: authorities(settings) })),
    }));
  const gotify = settings["alerts.gotify"];
  return [
    ...mailChannels(settings, sender, world),
    ...push("webhook", settings["alerts.webhook"], (url, message) => {
      const nowSeconds = Math.floor(world.clock.now() / SECOND_MS);
      return webhookRequest(url, message, { sender, key: webhookKey(settings), nowSeconds });
    }),
    ...push("ntfy", settings["alerts.ntfy"], (url, message) => {
      const key = "alerts.ntfy_token_file";
      return ntfyRequest(url, message, sender, settings[key] === "" ? null : secretIn(settings, key));
    }),
    ...push("gotify", gotify === "" ? [] : [gotify], (url, message) =>
      gotifyRequest(url, message, sender, secretIn(settings, "alerts.gotify_token_file")),
    ),
    ...push("apprise", settings["alerts.apprise"], (url, message) => appriseRequest(url, message, sender)),
  ];
}

export function senderOf(settings: Settings): Sender {
  const { hostname: host, "alerts.contacts": contacts, "alerts.language": language } = settings;
  return { host, contacts, language };
}

/** Requests the URL of the outside watcher, which raises the alarm when the requests stop. Null if none is set. */
export function watcherOf(settings: Settings, world: ChannelWorld): Omit<Watcher, "failing"> | null {
  const url = settings["alerts.heartbeat"];
  if (url === "") return null;
  const ask = () => sendHttp({ method: "GET", url }, { ...world, authorities: authorities(settings) });
  return { name: nameOf("heartbeat", url), send: () => orUnusable(ask)(null) };
}

function mailChannels(settings: Settings, sender: Sender, world: AlertWorld): readonly AlertChannel[] {
  const from = alertSender(settings);
  const to = [...new Set(settings["alerts.relay_to"])];
  const relayedTo = (one: string) => (message: AlertMessage) => {
    const relay = { ...relayOf(settings), helo: settings.hostname, lookup: world.lookup };
    return sendMail(relay, { from, to: [one], text: mailText(message, { from, to, sender }) });
  };
  // A channel each: the mail of a recipient that the relay refuses is retried and reported, and no other gets it twice.
  const relays = to.map((one) => ({
    name: to.length === 1 ? "relay" : `relay ${one}`,
    send: orUnusable(relayedTo(one)),
  }));
  return [
    ...(alertMailTo(settings).length === 0 ? [] : [{ name: "email", send: world.ownQueue, isLocal: true }]),
    ...relays,
  ];
}

/** The sender's name in alerts by mail. */
export function alertSender(settings: Settings): string {
  return settings["alerts.from"] === "" ? postmaster(settings) : settings["alerts.from"];
}

function relayOf(settings: Settings): Omit<SmtpServer, "helo" | "lookup"> {
  const at = hostAndPort(settings["alerts.relay"]);
  const user = settings["alerts.relay_user"];
  return {
    ...at,
    security: at.port === SUBMISSIONS ? "tls" : "starttls",
    authorities: authorities(settings),
    login: user === "" ? null : { user, password: secretIn(settings, "alerts.relay_password_file") },
  };
}

function authorities(settings: Settings): readonly string[] | undefined {
  if (settings["alerts.ca"] === "") return undefined;
  // Loaded only here, because it takes 3 MB.
  const { rootCertificates } = process.getBuiltinModule("node:tls");
  return [...rootCertificates, textIn(settings, "alerts.ca")];
}

/** Standard Webhooks: `whsec_` and the key in base64. Anything else is the key itself. */
function webhookKey(settings: Settings): Buffer | null {
  const key = "alerts.webhook_secret_file";
  if (settings[key] === "") return null;
  const secret = secretIn(settings, key);
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret);
}

type SecretKey = `alerts.${"webhook_secret" | "ntfy_token" | "gotify_token" | "relay_password"}_file`;

function secretIn(settings: Settings, key: SecretKey): string {
  const text = textIn(settings, key);
  if (text.length > MOST_FILE_CHARACTERS)
    throw new UnusableFile(`The file ${settings[key]} of ${key} is too long to hold a secret.`);
  const secret = (text.split("\n")[0] ?? "").trim();
  if (!/^[\x20-\x7e]{1,1000}$/.test(secret))
    throw new UnusableFile(`The first line of ${settings[key]} of ${key} must be the secret, in plain characters.`);
  return secret;
}

function textIn(settings: Settings, key: SecretKey | "alerts.ca"): string {
  try {
    return readNamed(settings[key], MOST_BYTES).toString();
  } catch {
    throw new UnusableFile(`The file ${settings[key]} of ${key} cannot be read by the user ghostinbox.`);
  }
}

function orUnusable<T>(send: (wish: T) => Promise<Sent>): (wish: T) => Promise<Sent> {
  return async (wish) => {
    try {
      return await send(wish);
    } catch (error) {
      const reason = error instanceof UnusableFile ? error.message : `it cannot be used: ${messageOf(error)}`;
      return { ok: false, reason };
    }
  };
}

/** The address may contain a secret, so only its host and a digest are shown. */
function nameOf(kind: string, url: string): string {
  const digest = createHash("sha256").update(url).digest("hex").slice(0, 6);
  return `${kind} ${printable(new URL(url).host, 80)} #${digest}`;
}

const OTHER_CHANNELS = ["alerts.relay_to", "alerts.webhook", "alerts.ntfy", "alerts.gotify", "alerts.apprise"] as const;

/** Recipients of alerts through our own queue: without any channel in the settings, the administrator. */
export function alertMailTo(settings: Settings): readonly string[] {
  const set = settings["alerts.email"];
  const isSet = set.length > 0 || OTHER_CHANNELS.some((key) => settings[key].length > 0);
  return isSet ? set : [postmaster(settings)];
}

/** Reaches `accounts.administrator`, or the first account that can sign in. */
export function postmaster({ domains, hostname }: Pick<Settings, "domains" | "hostname">): string {
  return `postmaster@${domains[0] ?? hostname}`;
}

/**
 * Sends through our own Postfix by way of the keeper. Postfix has no port for alerts, because any local program could write to a loopback
 * port or keep it busy.
 */
export function ownQueue(keeper: Keeper): (message: AlertMessage) => Promise<Outcome> {
  return async (message) => {
    const { id, kind, at, severity } = message;
    const title = message.title.toWellFormed();
    const body = textWithin(message.body, ALERT_BODY).toWellFormed();
    const reply = await keeper.ask({ verb: "mail_alert", id, kind, at, severity, title, body });
    return reply.ok ? { ok: true } : { ok: false, reason: reply.reason };
  };
}
