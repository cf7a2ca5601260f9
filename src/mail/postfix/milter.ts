import type { Decision } from "../../core/decide/decision.ts";
import { LIGHT_BYTES, MOST_EXTRA_BYTES, MOST_OF_A_MAIL } from "../../core/decide/mail.ts";
import { sessionOf } from "../../core/events/connection.ts";
import type { EndOfMessage, Excess } from "../../core/events/mail.ts";
import { smtpReplyOf } from "../../core/events/reasons.ts";
import { withoutTrailingDots } from "../../core/net/address.ts";
import { parseIp } from "../../core/net/ip.ts";
import { COSTLY_FIELDS, MimeParts, WORD_COST_BYTES, WORD_START } from "./mime-parts.ts";
import { callSite, knownName } from "./policy-protocol.ts";

/**
 * The milter protocol, version 6 (MILTER_README; milter8.c of Postfix): packets of a length in four bytes, a letter and
 * data. Postfix waits for a reply only at the end of the header, and at the end of the body if we ask for the body.
 */
const VERSION = 6;
/** SMFIF_SETSYMLIST: we choose the macros. */
const ACTIONS = 0x100;
/**
 * Of connections and commands Postfix sends only EHLO (SMFIP_NOCONNECT, NOMAIL, NORCPT, NOUNKNOWN, NODATA). It expects no reply to
 * EHLO, header or body.
 */
const PROTOCOL = 0x1 | 0x4 | 0x8 | 0x100 | 0x200 | 0x2000 | 0x80 | 0x80000;
/** The macro that names the service, from `milter_macro_defaults` of main.cf. */
export const SERVICE_MACRO = "ghostinbox_context";
/** By stage (SMFIM_CONNECT, ENVFROM, ENVRCPT, EOH). Postfix also sends the macros of stages that it does not report. */
const MACROS: readonly (readonly [stage: number, names: string])[] = [
  [0, `{client_addr} {client_port} {client_name} {daemon_addr} {daemon_port} {${SERVICE_MACRO}}`],
  [2, "{mail_addr} {auth_authen}"],
  [3, "{rcpt_addr}"],
  [6, "i"],
];

const LENGTH_BYTES = 4;
/** Bytes kept of a packet whose content matters: a header of Postfix has 100 KB at most (header_size_limit). */
const KEPT_BYTES = 128 * 1024;
/**
 * This much of a costly header counts as a line, however it is folded: listing recipients costs an IMAP session 60 times their size in
 * memory, and the session ends at 256 MB. Honest lines are shorter on average.
 */
const COSTLY_BYTES_PER_LINE = 512;
/**
 * A costly header is recognized by its first letter, because only the first byte is sure to be in one chunk. This also counts Subject and
 * Received, which are short.
 */
const COSTLY = Buffer.from(COSTLY_FIELDS.map((name) => name.charAt(0)).join(""));
/** The headers that matter, Content-Type and Content-Transfer-Encoding, start with this letter. */
const CONTENT_FIRST = code("c");
const CONTENT_SECOND = code("o");
/**
 * DKIM-Signature starts with this letter. For each name in it Rspamd looks at each field of that name, so for every five header lines, a
 * byte of it costs as much as a plain byte (measured: 1,000 lines with 100 KB take 0.15 s).
 */
const SIGNATURE = code("d");
const SIGNATURE_BYTES_PER_BYTE = 5;
/** A byte of a header in many lines costs as much as 5 bytes of the body (measured: 3 MB take 0.1 s), a byte of parameters as 45. */
const FIELD_BYTE_COST_BYTES = 5;
const CONTENT_BYTE_COST_BYTES = 45;
/** By the names of the protocol, without SMFIC_: OPTNEG negotiates, MACRO sends macros, EOH ends a header, BODYEOB a body. */
const COMMAND = {
  ABORT: code("A"),
  BODY: code("B"),
  CONNECT: code("C"),
  MACRO: code("D"),
  BODYEOB: code("E"),
  HELO: code("H"),
  HEADER: code("L"),
  MAIL: code("M"),
  EOH: code("N"),
  OPTNEG: code("O"),
  QUIT: code("Q"),
  RCPT: code("R"),
} as const;
/** Postfix's own limit. */
const MOST_PACKET_BYTES = 1024 * 1024;

export const REPLY = { continue: packet("c"), accept: packet("a") } as const;

export function printNegotiation(): Buffer {
  const numbers = [VERSION, ACTIONS, PROTOCOL].map(fourBytes);
  const macros = MACROS.flatMap(([stage, names]) => [fourBytes(stage), Buffer.from(`${names}\0`)]);
  return packet("O", Buffer.concat([...numbers, ...macros]));
}

/** What Postfix should reply to the client: for a refusal, a text of the catalogue. */
export function printMilterReply(decision: Decision): Buffer {
  const reply = smtpReplyOf(decision.reason);
  const passes = decision.verdict !== "refuse" && decision.verdict !== "defer";
  return passes || reply === undefined ? REPLY.accept : packet("y", Buffer.from(`${reply}\0`));
}

/** `negotiate` and `more` need a reply at once; `end` needs the verdict on the mail. */
export type MilterQuestion =
  | Readonly<{ type: "negotiate" | "more" | "quit" }>
  /** `found`: null if the mail exceeds no limit, hides no parts and is not heavier than its size, and its sender is not a suspect. */
  | Readonly<{ type: "end"; found: EndOfMessage | null }>;
type Counted = keyof typeof MOST_OF_A_MAIL;

export type IsSuspect = (sender: Pick<EndOfMessage, "account" | "ip">) => boolean;

/** Reads a connection from Postfix: one client and all its mails. Holds at most one packet in memory. */
export class MilterReader {
  readonly #ask: (question: MilterQuestion) => void;
  readonly #isSuspect: IsSuspect;
  #lengthBytes = 0;
  #left = 0;
  /** The letter of the packet that is being read; 0 before it has arrived. */
  #command = 0;
  /** The rest of this packet is not kept, but a header is weighed (`#weigh`). Only Content-Type and Content-Transfer-Encoding are read. */
  #skips = false;
  /** The header that is being read. */
  #isCostly = false;
  #isSignature = false;
  #isContent = false;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  readonly #macros = new Map<string, string>();
  #helo = "";
  #mail = newMail();

  /** `isSuspect`: whether each mail of this sender is reported. */
  constructor(ask: (question: MilterQuestion) => void, isSuspect: IsSuspect = () => false) {
    this.#ask = ask;
    this.#isSuspect = isSuspect;
  }

  /** Returns false if these packets are not Postfix's, and the connection must be dropped. A million headers cost a few milliseconds. */
  push(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#lengthBytes < LENGTH_BYTES) {
        this.#left = this.#left * 256 + (chunk[at++] ?? 0);
        this.#lengthBytes++;
        continue;
      }
      if (this.#left < 1 || this.#left > MOST_PACKET_BYTES) return false;
      if (this.#command === 0) {
        this.#command = chunk[at++] ?? 0;
        this.#left--;
        this.#skips = false;
      }
      const end = Math.min(chunk.length, at + this.#left);
      if (end > at && !this.#skips) this.#take(this.#command, chunk, at, end);
      this.#mail.sizeBytes += end - at;
      if (this.#command === COMMAND.HEADER) this.#weigh(chunk, at, end);
      this.#left -= end - at;
      at = end;
      if (this.#left > 0) continue;
      if (this.#command === COMMAND.HEADER) this.#mail.headerLines++;
      if (!this.#skips) this.#finish(this.#command);
      this.#command = 0;
      this.#lengthBytes = 0;
    }
    return true;
  }

  #weigh(chunk: Buffer, from: number, end: number): void {
    const mail = this.#mail;
    if (this.#isCostly) mail.headerBytes += end - from;
    if (this.#isSignature) mail.signatureBytes += end - from;
    const words = chunk.toString("latin1", from, end).split(WORD_START).length - 1;
    const times = this.#isContent ? CONTENT_BYTE_COST_BYTES : FIELD_BYTE_COST_BYTES;
    mail.headerWeight += (end - from) * times + words * WORD_COST_BYTES;
  }

  #take(command: number, chunk: Buffer, from: number, end: number): void {
    const first = chunk[from] ?? 0;
    if (this.#keptBytes === 0) {
      this.#isCostly = COSTLY.includes(first | 0x20);
      this.#isSignature = (first | 0x20) === SIGNATURE;
      this.#isContent = (first | 0x20) === CONTENT_FIRST && ((chunk[from + 1] ?? 0) | 0x20) === CONTENT_SECOND;
    }
    // Postfix repeats some macros before each header.
    const isUnneeded =
      command === COMMAND.HEADER ? !this.#isNeeded(first) : command === COMMAND.MACRO && first === COMMAND.HEADER;
    if (this.#keptBytes === 0 && isUnneeded) {
      this.#skips = true;
    } else if (command === COMMAND.BODY) {
      this.#mail.parts.push(chunk.subarray(from, end));
    } else if (this.#keptBytes < KEPT_BYTES) {
      this.#kept.push(Buffer.from(chunk.subarray(from, end)));
      this.#keptBytes += end - from;
    }
  }

  /** Whether a header that starts with this letter may declare the first boundary of a mail that has not reached its limit. */
  #isNeeded(first: number): boolean {
    return (first | 0x20) === CONTENT_FIRST && this.#mail.headerLines <= MOST_OF_A_MAIL.header_lines;
  }

  #finish(command: number): void {
    // A boundary may contain any bytes, and the body is searched for it byte by byte.
    const encoding = command === COMMAND.HEADER ? "latin1" : "utf8";
    const [first = "", ...fields] =
      this.#kept.length === 0 ? [] : Buffer.concat(this.#kept).toString(encoding).split("\0");
    this.#kept = [];
    this.#keptBytes = 0;
    const mail = this.#mail;
    switch (command) {
      case COMMAND.OPTNEG:
        return this.#ask({ type: "negotiate" });
      case COMMAND.MACRO:
        return this.#storeMacros(code(first), [first.slice(1), ...fields]);
      case COMMAND.HELO:
        this.#helo = first;
        return;
      case COMMAND.HEADER:
        mail.parts.field(first.trimEnd().toLowerCase(), fields[0] ?? "");
        return;
      case COMMAND.EOH: {
        const lines = Math.max(mail.headerLines, Math.floor(mail.headerBytes / COSTLY_BYTES_PER_LINE));
        const excess = this.#excessOf("header_lines", lines);
        const isToBeRead = mail.parts.mayNest || this.#isOfSuspect;
        return this.#ask(excess === null && isToBeRead ? { type: "more" } : this.#end(excess));
      }
      case COMMAND.BODYEOB:
        return this.#ask(this.#end(this.#overParts(), mail.parts.mayHideParts));
      case COMMAND.ABORT:
        this.#mail = newMail();
        return;
      case COMMAND.QUIT:
        return this.#ask({ type: "quit" });
      default:
    }
  }

  /** `of`: the command that these macros belong to. */
  #storeMacros(of: number, fields: readonly string[]): void {
    if (of === COMMAND.MAIL) this.#mail = newMail();
    const macros = of === COMMAND.CONNECT ? this.#macros : this.#mail.macros;
    for (let at = 0; at + 1 < fields.length; at += 2)
      macros.set((fields[at] ?? "").replace(/^\{(.*)\}$/, "$1"), fields[at + 1] ?? "");
    if (of === COMMAND.RCPT) this.#mail.recipientCount++;
  }

  #excessOf(of: Counted, count: number): Excess | null {
    return count > MOST_OF_A_MAIL[of] ? { of, count } : null;
  }

  #overParts(): Excess | null {
    const { delimiters, count } = this.#mail.parts;
    if (count <= MOST_OF_A_MAIL.mime_parts) return null;
    return this.#excessOf("mime_parts", delimiters) ?? { of: "mime_parts", count, isEstimate: true };
  }

  get #sender() {
    return {
      // Postfix gives IPv6 addresses to milters as RFC 5321 writes them, in section 4.1.3: `IPv6:2001:db8::7`.
      ip: parseIp((this.#macros.get("client_addr") ?? "").replace(/^IPv6:/i, "")),
      account: this.#mail.macros.get("auth_authen") || null,
    };
  }

  get #isOfSuspect(): boolean {
    const { ip, account } = this.#sender;
    return ip !== null && this.#isSuspect({ ip, account });
  }

  #end(excess: Excess | null, mayHideParts = false): MilterQuestion {
    const { macros, sizeBytes, recipientCount, parts, signatureBytes, headerLines, headerWeight } = this.#mail;
    const named = (macro: string): string => this.#macros.get(macro) ?? "";
    const { ip, account } = this.#sender;
    const ofSignatures = (signatureBytes * headerLines) / SIGNATURE_BYTES_PER_BYTE;
    const weightBytes = parts.weightBytes + Math.round(headerWeight + ofSignatures);
    const beyond = weightBytes - sizeBytes;
    const why =
      mayHideParts || beyond > MOST_EXTRA_BYTES
        ? { mayHideParts: true as const }
        : { ...(this.#isOfSuspect && { isSuspect: true as const }), ...(beyond > LIGHT_BYTES && { weightBytes }) };
    if ((excess === null && Object.keys(why).length === 0) || ip === null) return { type: "end", found: null };
    const { service, isProxied } = callSite(named(SERVICE_MACRO));
    const found: EndOfMessage = {
      type: "END_OF_MESSAGE",
      ip,
      service,
      session: sessionOf({
        ip,
        port: named("client_port"),
        serverPort: named("daemon_port"),
        serverIp: named("daemon_addr"),
      }),
      clientName: knownName(named("client_name")),
      helo: this.#helo,
      sender: withoutTrailingDots(macros.get("mail_addr") ?? ""),
      recipient: recipientCount === 1 ? withoutTrailingDots(macros.get("rcpt_addr") ?? "") : null,
      recipientCount,
      account,
      queueId: macros.get("i") ?? "",
      transaction: "",
      sizeBytes,
      ...(excess === null ? why : { excess }),
    };
    return { type: "end", found: isProxied ? { ...found, proxied: true } : found };
  }
}

function newMail() {
  return {
    macros: new Map<string, string>(),
    parts: new MimeParts(),
    headerLines: 0,
    headerBytes: 0,
    signatureBytes: 0,
    headerWeight: 0,
    recipientCount: 0,
    sizeBytes: 0,
  };
}

function code(letter: string): number {
  return letter.charCodeAt(0);
}

function packet(command: string, data: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([fourBytes(data.length + 1), Buffer.from(command), data]);
}

function fourBytes(number: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32BE(number);
  return bytes;
}
