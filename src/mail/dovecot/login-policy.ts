import { hash } from "node:crypto";
import { isObject } from "../../admin/declare/fields.ts";
import { APP_PASSWORD_NAME } from "../../core/access/passwords.ts";
import type { Decision, Verdict } from "../../core/decide/decision.ts";
import { LOGIN_DELAY_SECONDS } from "../../core/decide/policy.ts";
import type { Service } from "../../core/events/event-types.ts";
import type { LoginAsked, LoginAttributes, LoginFailed, LoginSucceeded } from "../../core/events/login.ts";
import { NO_ACCOUNT } from "../../core/net/address.ts";
import { PROBE_ADDRESS, parseIp } from "../../core/net/ip.ts";
import { parseJson } from "../../core/text.ts";

/** Dovecot's auth policy: JSON over HTTP before and after each login (auth-policy.c, Dovecot 2.3). */
export const LOGIN_REQUEST_BYTES = 8 * 1024;

/** RFC 5321, 4.5.3.1: 64 for the local part, @, 255 for the domain. */
const LOGIN_LENGTH = 320;
const PASSWORD_HASH_LENGTH = 128;

/** `NOT_OURS`: the sign-in of our own `check`, another protocol, or the echo of our own refusal. */
type LoginRequest = LoginAsked | LoginSucceeded | LoginFailed | Readonly<{ type: "NOT_OURS" }>;
export type LoginProblem = "unknown_command" | "not_json" | "not_an_object" | "bad_field";
type ParsedLogin = Readonly<{ ok: true; value: LoginRequest }> | Readonly<{ ok: false; reason: LoginProblem }>;

const NOT_OURS: ParsedLogin = { ok: true, value: { type: "NOT_OURS" } };

/** `command` is the query parameter of that name, `body` the JSON of auth_policy_request_attributes. */
export function parseLoginRequest(command: string | null, body: string): ParsedLogin {
  if (command !== "allow" && command !== "report") return { ok: false, reason: "unknown_command" };
  const json = parseJson(body);
  if (json === undefined) return { ok: false, reason: "not_json" };
  if (!isObject(json)) return { ok: false, reason: "not_an_object" };

  const fields = new Map<string, unknown>(Object.entries(json));
  const texts = ["login", "remote", "peer", "protocol", "pwhash", "app"].map((name) => fields.get(name) ?? "");
  if (!texts.every((text) => typeof text === "string")) return { ok: false, reason: "bad_field" };
  const [login = "", remote = "", peer = "", protocol = "", passwordHash = "", app = ""] = texts;
  const [success, rejected] = ["success", "policy_reject"].map((name) => fields.get(name) ?? false);
  if (typeof success !== "boolean" || typeof rejected !== "boolean") return { ok: false, reason: "bad_field" };
  if (passwordHash.length > PASSWORD_HASH_LENGTH) return { ok: false, reason: "bad_field" };

  const service = SERVICES.get(protocol);
  const ip = parseIp(remote);
  if (service === undefined || ip === null) return NOT_OURS;
  // The sign-in of `check`, which must fail. Any local program could use the address, so only this name is not counted.
  if (ip === PROBE_ADDRESS && login === NO_ACCOUNT) return NOT_OURS;
  const direct: LoginAttributes = { ip, service, login: cleaned(login, LOGIN_LENGTH), passwordHash };
  const attributes: LoginAttributes = peer === "" || parseIp(peer) === ip ? direct : { ...direct, proxied: true };
  if (command === "allow") return { ok: true, value: { type: "LOGIN_ASKED", ...attributes } };
  if (success) {
    const appPassword = cleaned(app, APP_PASSWORD_NAME);
    return { ok: true, value: { type: "LOGIN_SUCCEEDED", ...attributes, ...(appPassword !== "" && { appPassword }) } };
  }
  // Dovecot also reports our refusal as a failure, but each attempt counts once.
  return rejected ? NOT_OURS : { ok: true, value: { type: "LOGIN_FAILED", ...attributes } };
}

/** Status below 0 refuses, 0 continues, above 0 delays by that many seconds. The client would see `msg`, so it is empty. */
export function printLoginAnswer({ verdict }: Decision): string {
  return printStatus(STATUS[verdict]);
}

export const LOGIN_CONTINUES = printStatus(0);
/** For a client behind a proxy, while anyone but a proxy could forge its header. Dovecot ignores the answer to a report. */
export const LOGIN_REFUSED = printStatus(-1);

const STATUS: Readonly<Record<Verdict, number>> = {
  pass: 0,
  delay: LOGIN_DELAY_SECONDS,
  hold: -1,
  defer: -1,
  refuse: -1,
};

function printStatus(status: number): string {
  return JSON.stringify({ status, msg: "" });
}

/** Keys are Dovecot's names of its services; `smtp` is Postfix's SASL on any port. */
const SERVICES: ReadonlyMap<string, Service> = new Map([
  ["imap", "imap"],
  ["smtp", "submission"],
  ["submission", "submission"],
  ["sieve", "sieve"],
]);

/** Removes control characters and half surrogate pairs, which no account or app password has. */
function cleaned(text: string, most: number): string {
  return text.slice(0, most).replace(/[\p{Cc}\p{Cs}]/gu, "");
}

/** Salts the hashes by which the guard distinguishes passwords: stable, and unknown to anyone without the secret. */
export function policyNonce(secret: string): string {
  return hash("sha256", `password hashes of ${secret}`).slice(0, 32);
}

/**
 * The hash of this password that Dovecot sends to the guard: the first 12 bits of its salted hash, as four hexadecimal digits
 * (auth_policy_hash_mech sha256, auth_policy_hash_truncate 12). `account` in lower case.
 */
export function passwordHashOf(secret: string, account: string, password: string): string {
  const digest = hash("sha256", `${policyNonce(secret)}${account}\0${password}`, "buffer");
  return (digest.readUInt16BE(0) >> 4).toString(16).padStart(4, "0");
}
