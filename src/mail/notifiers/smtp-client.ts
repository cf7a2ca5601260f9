import { connect, isIP, type LookupFunction } from "node:net";
import { printable } from "../../core/text.ts";
import type { Outcome } from "../../guard/ports.ts";

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
/** For single steps; the deadline of the whole session expires first, with our own message. */
const STEP_MS = 2 * DEADLINE_MS;
/** After the outcome is known. */
const GOODBYE_MS = 1_000;
const MOST_REPLY_BYTES = 10_000;
const SHOWN = 200;

/** One mail in one session (RFC 5321). Ok if the server accepted it for at least one recipient. Never rejects. */
export async function sendMail(server: SmtpServer, { from, to, text }: SmtpMail): Promise<Outcome> {
  // Loaded only where a relay is set: the guard's memory is counted.
  const { default: SmtpConnection } = await import("nodemailer/lib/smtp-connection");
  const { host, port, security, authorities, login, helo, lookup } = server;
  return new Promise((resolve) => {
    // Opened here, because nodemailer would ask the resolver of the machine for the name.
    const socket = connect({ host, port, lookup });
    const session = new SmtpConnection({
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
    const end = (outcome: Outcome): void => {
      clearTimeout(deadline);
      if (outcome.ok) session.quit();
      else session.close();
      setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
      resolve(outcome);
    };
    const fail = (error: SmtpError): void => end({ ok: false, reason: printable(reasonOf(error), SHOWN) });
    const deadline = setTimeout(() => fail(new Error(`no end within ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
    const send = (): void =>
      session.send({ from, to: [...to] }, text, (error) => (error ? fail(error) : end({ ok: true })));
    session.on("error", fail);
    session.connect((error) => {
      if (error) fail(error);
      else if (login === null) send();
      else
        session.login({ user: login.user, pass: login.password, method: "PLAIN" }, (refused) =>
          refused ? end({ ok: false, reason: refusedLogin(refused, login) }) : send(),
        );
    });
  });
}

type SmtpError = Error & Readonly<{ command?: string | undefined; response?: unknown }>;

/** The relay's words, unless they repeat what it was sent: the administrator sees reasons. */
function refusedLogin(refused: SmtpError, { user, password }: Readonly<{ user: string; password: string }>): string {
  const reason = reasonOf(refused);
  const sent = [password, `\0${user}\0${password}`].flatMap((text) => [text, Buffer.from(text).toString("base64")]);
  if (!sent.some((secret) => reason.includes(secret))) return printable(reason, SHOWN);
  return `it answered ${/\b\d{3}\b/.exec(reason)?.[0] ?? "with the password"}`;
}

/** The server's answer, if there was one: nodemailer's own messages are for programmers. */
function reasonOf({ message, command, response }: SmtpError): string {
  if (command === "STARTTLS") return "the relay offers no STARTTLS";
  return typeof response === "string" ? `it answered ${response.trim().split(/\r?\n/).at(-1)}` : message;
}
