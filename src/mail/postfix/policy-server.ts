import type { Socket } from "node:net";
import { Framer, POLICY_REQUEST_BYTES } from "../../admin/declare/framing.ts";
import type { Verdict } from "../../core/decide/decision.ts";
import { messageOf } from "../../core/error.ts";
import type { SmtpEvent } from "../../core/events/event.ts";
import { printable } from "../../core/text.ts";
import type { SubmissionSessions } from "../../guard/enforce/submission-sessions.ts";
import type { Submit } from "../../guard/ports.ts";
import { descriptorOf, readBuffer, readNow, writeNow } from "../../host/sockets/direct-socket.ts";
import { type Report, UnixServer } from "../../host/sockets/unix-socket.ts";
import {
  DUNNO,
  FULL,
  NOT_DOVECOT,
  parsePolicyRequest,
  printPolicyAction,
  SESSION_OVER,
  type SieveClient,
  UNAVAILABLE,
  WELCOME,
} from "./policy-protocol.ts";

export const POLICY_LIMITS = {
  /**
   * Each smtpd process holds one: three services, and three for proxies, each with up to 1,000 processes
   * (`limits.connections.smtp_places`). A client whose smtpd finds none free must retry.
   */
  maxConnections: 6_200,
  /** Maximum bytes of answers that the other side has not read. */
  maxUnsentBytes: 64 * 1024,
  stopMs: 1_000,
} as const;

export type PolicyOptions = Readonly<Record<keyof typeof POLICY_LIMITS, number>> &
  Readonly<{
    /**
     * Whether the disk has room for one more mail to this recipient. Null asks about room in the queue: the mail will be held, or has
     * several recipients that are not known here.
     */
    hasRoom: (recipient: string | null) => boolean;
    /** Whether only proxies can reach the ports for proxies, so that their headers can be trusted. */
    guardsProxied: () => boolean;
    /** Whether a client of the port for mail from Sieve scripts is Dovecot; null if that cannot be known, so none is accepted. */
    isDovecot: ((client: SieveClient) => Promise<boolean>) | null;
    sessions: Pick<SubmissionSessions, "begin" | "isOver">;
    /** Called with each decision that is answered, recorded or not, so that `SmtpProgress` can follow each mail. */
    decided: (event: SmtpEvent, verdict: Verdict) => void;
  }>;

/** Answers Postfix's check_policy_service on a unix socket (SMTPD_POLICY_README). */
export function createPolicyServer(submit: Submit, report: Report, options: PolicyOptions) {
  const parts = { ...options, submit, report, buffer: readBuffer() };
  const server = new UnixServer((socket) => new Connection(socket, parts), options.maxConnections, report);
  return {
    start: (path: string) => server.start(path, 0o660),
    /** Open questions are still answered. Postfix then asks the next guard, or uses its default action. */
    stop: () => server.close(options.stopMs),
  };
}

/** `buffer`: shared by all connections. */
type Parts = PolicyOptions & Readonly<{ submit: Submit; report: Report; buffer: Buffer }>;

class Connection {
  readonly #socket: Socket;
  readonly #parts: Parts;
  /** A request ends with an empty line (SMTPD_POLICY_README). */
  readonly #framer = new Framer(POLICY_REQUEST_BYTES, "\n\n");
  /** Whether a question is open. Postfix reads its answer before it asks the next one. */
  #isAsked = false;
  /** The number of the last question. */
  #question = 0;
  #finishing = false;
  /**
   * The recipients of the mail in flight, for the check at its end, where Postfix names the recipient only if there is
   * just one. A null entry: the mail will be held in the queue.
   */
  #mail: { transaction: string; recipients: (string | null)[] } = { transaction: "", recipients: [] };
  readonly #descriptor: number | null;
  readonly #take = (block: string): void => this.#request(block);

  constructor(socket: Socket, parts: Parts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#descriptor = descriptorOf(socket);
    socket.on("error", () => socket.destroy());
    readNow(socket, parts.buffer, (chunk) => this.#read(chunk));
  }

  finish(): void {
    this.#finishing = true;
    if (!this.#isAsked) this.#socket.destroySoon();
  }

  #read(chunk: Buffer): void {
    if (!this.#framer.push(chunk, this.#take)) this.#drop("policy_request_malformed", "request too long");
  }

  #request(block: string): void {
    if (this.#socket.destroyed || this.#finishing) return;
    if (this.#isAsked) return this.#drop("policy_flooded", "a question before the last one was answered");
    const parsed = parsePolicyRequest(block);
    if (!parsed.ok) return this.#drop("policy_request_malformed", `${parsed.reason}: ${printable(block, 200)}`);
    this.#isAsked = true;
    this.#question += 1;
    if (parsed.value.type === "NOTHING_TO_DECIDE") this.#answer(DUNNO);
    else if (parsed.value.type === "CLIENT_GONE") this.#answer(UNAVAILABLE);
    else if (parsed.value.type === "SIEVE_CLIENT") void this.#answerSieveClient(parsed.value);
    else if (parsed.value.proxied === true && !this.#parts.guardsProxied()) this.#answer(UNAVAILABLE);
    else if (this.#isOver(parsed.value)) this.#answer(SESSION_OVER);
    else this.#submit(parsed.value);
  }

  #isOver(event: SmtpEvent): boolean {
    if (event.service === "smtp" || event.type === "CONNECT" || event.account === null) return false;
    const isAtRecipient = event.type === "RECIPIENT";
    return this.#parts.sessions.isOver(event.session, event.account, isAtRecipient);
  }

  /** A client that cannot be identified is not Dovecot. */
  async #answerSieveClient(client: SieveClient): Promise<void> {
    const { isDovecot } = this.#parts;
    if (isDovecot === null) return this.#answer(UNAVAILABLE);
    this.#answer((await isDovecot(client).catch(() => false)) ? WELCOME : NOT_DOVECOT);
  }

  #submit(event: SmtpEvent): void {
    if (event.type === "CONNECT" && event.service !== "smtp") this.#parts.sessions.begin(event.session);
    try {
      if (!this.#checkRoom(event)) return this.#answer(FULL);
      const question = this.#question;
      this.#parts.submit(event, (decision) => {
        // A second answer would be read as the answer to the next question.
        if (!this.#isAsked || question !== this.#question) return;
        const isHeld = event.type === "DATA" && decision.verdict === "hold";
        const fits = !isHeld || this.#checkRoomAndNote(event.transaction, null);
        if (fits) this.#parts.decided(event, decision.verdict);
        this.#answer(fits ? printPolicyAction(decision, event.type) : FULL);
      });
    } catch (error) {
      // No answer: Postfix takes its default action (SMTPD_POLICY_README, "error recovery").
      this.#drop("internal_error", printable(messageOf(error), 200));
    }
  }

  /** Whether the disk has room. Notes each recipient at RCPT, to check again at the end of the mail: the disk may have filled up. */
  #checkRoom(event: SmtpEvent): boolean {
    if (event.type === "RECIPIENT") return this.#checkRoomAndNote(event.transaction, event.recipient);
    if (event.type !== "END_OF_MESSAGE") return true;
    const { transaction, recipients } = this.#mail;
    this.#mail = { transaction: "", recipients: [] };
    const known = transaction === event.transaction && recipients.length > 0 ? recipients : [event.recipient];
    return known.every((recipient) => this.#parts.hasRoom(recipient));
  }

  #checkRoomAndNote(transaction: string, recipient: string | null): boolean {
    if (!this.#parts.hasRoom(recipient)) return false;
    if (transaction !== this.#mail.transaction) this.#mail = { transaction, recipients: [] };
    this.#mail.recipients.push(recipient);
    return true;
  }

  #answer(text: string): void {
    this.#isAsked = false;
    if (this.#socket.destroyed) return;
    writeNow(this.#socket, this.#descriptor, text);
    if (this.#socket.writableLength > this.#parts.maxUnsentBytes) this.#drop("policy_flooded", "answers are not read");
    else if (this.#finishing) this.#socket.destroySoon();
  }

  #drop(code: Parameters<Report>[0], detail: string): void {
    this.#socket.destroy();
    this.#parts.report(code, detail);
  }
}
