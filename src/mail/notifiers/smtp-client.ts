import { connect, isIP, type LookupFunction } from "node:net";
import { printable } from "../../core/text.ts";
import type { Outcome } from "../../guard/ports.ts";
import { PATIENT } from "./push.ts";

export type SmtpServer = Readonly<{
  host: string;
  port: number;
  /** `plain` is for loopback only; `starttls` never continues without TLS. */
  security: "plain" | "starttls" | "tls";
  /** Certificate authorities; undefined means Node's own. */
  authorities: readonly string[] | undefined;
  login: Readonly<{ user: string; password: string }> | null;
  /** The name for EHLO. */
  helo: string;
  lookup: LookupFunction;
}>;

type SmtpMail = Readonly<{ from: string; to: readonly string[]; text: string }>;

const DEADLINE_MS = 25_000;
const SIGN_IN_MS = 15_000;
/** Timeout for single steps. The deadline of the whole session expires first, with our own message. */
const STEP_MS = 2 * DEADLINE_MS;
/** How long the session may take to end after the outcome is known. */
const GOODBYE_MS = 1_000;
const MOST_REPLY_BYTES = 10_000;
const QUOTED_CHARACTERS = 200;

/** One mail in one session (RFC 5321). Ok if the server accepted it for at least one recipient. Never rejects. */
export async function sendMail(server: SmtpServer, mail: SmtpMail): Promise<Outcome> {
  const failure = await session(server, mail, DEADLINE_MS);
  return failure === null ? { ok: true } : { ok: false, reason: printableReason(failure, server.login) };
}

/** Signs in, and disconnects before any mail. Null if the server accepts the sign-in. Never rejects. */
export function trySignIn(server: SmtpServer): Promise<SmtpError | null> {
  return session(server, null, SIGN_IN_MS);
}

async function session(server: SmtpServer, mail: SmtpMail | null, deadlineMs: number): Promise<SmtpError | null> {
  // Loaded only if a relay is set, to save the guard's memory.
  const { default: SmtpConnection } = await import("nodemailer/lib/smtp-connection");
  const { host, port, security, authorities, login, helo, lookup } = server;
  return new Promise((resolve) => {
    // Opened here, because nodemailer would ask the machine's resolver for the name.
    const socket = connect({ host, port, lookup, ...PATIENT });
    const connection = new SmtpConnection({
      connection: socket,
      host,
      secure: security === "tls",
      requireTLS: security === "starttls",
      ignoreTLS: security === "plain",
      name: helo,
      tls: {
        minVersion: "TLSv1.2",
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(authorities === undefined ? {} : { ca: [...authorities] }),
      },
      maxResponseSize: MOST_REPLY_BYTES,
      connectionTimeout: STEP_MS,
      greetingTimeout: STEP_MS,
      socketTimeout: STEP_MS,
    });
    const end = (failure: SmtpError | null): void => {
      clearTimeout(deadline);
      if (failure === null) connection.quit();
      else connection.close();
      setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
      resolve(failure);
    };
    const deadline = setTimeout(() => end(new Error(`no end within ${deadlineMs / 1000} s`)), deadlineMs);
    const send = (): void => {
      if (mail === null) end(null);
      else connection.send({ from: mail.from, to: [...mail.to] }, mail.text, end);
    };
    connection.on("error", end);
    connection.connect((error) => {
      if (error) end(error);
      else if (login === null) send();
      // Otherwise nodemailer would send the password, and the answer would read as a refusal of it.
      else if (!connection.allowsAuth)
        end(Object.assign(new Error("it offers no sign-in"), { originalCode: "ENOAUTH" }));
      else connection.login({ user: login.user, pass: login.password }, (refused) => (refused ? end(refused) : send()));
    });
  });
}

/** `responseCode`: of the server's answer, if there was one. `originalCode`: of the system, the resolver or TLS. */
export type SmtpError = Error &
  Readonly<{
    command?: string | undefined;
    response?: unknown;
    responseCode?: number | undefined;
    originalCode?: string | undefined;
  }>;

/** Quotes the relay's answer, unless it repeats the password, because reasons are shown to the administrator. */
function printableReason(failure: SmtpError, login: SmtpServer["login"]): string {
  const reason = reasonOf(failure);
  const secrets = login === null ? [] : [login.password, `\0${login.user}\0${login.password}`];
  const sent = secrets.flatMap((text) => [text, Buffer.from(text).toString("base64")]);
  if (!sent.some((secret) => reason.includes(secret))) return printable(reason, QUOTED_CHARACTERS);
  return `it answered ${/\b\d{3}\b/.exec(reason)?.[0] ?? "with the password"}`;
}

/** The server's answer, if there was one: nodemailer's own messages are for programmers. */
function reasonOf({ message, command, response, originalCode = "" }: SmtpError): string {
  if (command === "STARTTLS") return "the relay offers no STARTTLS";
  return typeof response === "string"
    ? `it answered ${response.trim().split(/\r?\n/).at(-1)}`
    : message || originalCode;
}
