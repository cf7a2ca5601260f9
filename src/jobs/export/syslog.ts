import type { ShownEvent } from "../../core/events/columns.ts";
import { ecsLine } from "../../core/events/ecs.ts";
import { escapeUnits } from "../../core/text.ts";

/** Facility `authpriv` (RFC 5424 section 6.2.1: security and authorization). */
const FACILITY = 10;
const NOTICE = 5;
const INFORMATIONAL = 6;

/** The length that a receiver should accept (RFC 5425 section 4.3.1), and that rsyslog accepts by default. */
const MOST_MESSAGE_BYTES = 8_192;

/** The enterprise number that RFC 5612 reserves for documentation: we have none of our own. */
const OWN_DATA = "ghostinbox@32473";

/**
 * Formats an event as a message of RFC 5424. MSGID is its type. `id` in the structured data is its id, by which a receiver recognises
 * duplicates. MSG is the event as JSON (`events --ecs`), in ASCII, so that no byte order mark is needed.
 */
export function syslogMessage(event: ShownEvent, hostname: string): string {
  const severity = WARNED.includes(event.verdict ?? "") || event.type === "BAN" ? NOTICE : INFORMATIONAL;
  const head = `<${FACILITY * 8 + severity}>1 ${event.at} ${hostname} ghostinbox - ${event.type} [${OWN_DATA} id="${event.id}"] `;
  const whole = head + ascii(ecsLine(event));
  // Only the free text is unbounded; the other fields are bounded and repeat everything it says.
  return whole.length <= MOST_MESSAGE_BYTES ? whole : head + ascii(ecsLine(shortened(event)));
}

const WARNED: readonly string[] = ["refuse", "hold", "lose"];
const LONGEST_FIELD = 255;

function shortened(event: ShownEvent): ShownEvent {
  const cut = (text: string | null): string | null => text?.slice(0, LONGEST_FIELD).toWellFormed() ?? null;
  return {
    ...event,
    details: "",
    sender: cut(event.sender),
    recipient: cut(event.recipient),
    helo: cut(event.helo),
    messageId: cut(event.messageId),
    account: cut(event.account),
  };
}

function ascii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, escapeUnits);
}

/** Octet counting (RFC 5425 section 4.3). */
export function octetCounted(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}

/**
 * RELP, the Reliable Event Logging Protocol of rsyslog: each message has a number, and the receiver answers each.
 * Frames are `NUMBER COMMAND LENGTH[ DATA]\n`; numbers go from 1 to 999,999,999 and start again (librelp, relp.html).
 */

export type RelpFrame = Readonly<{ number: number; command: string; data: string }>;

const LAST_NUMBER = 999_999_999;
/** Answers are short; a longer one is not RELP. */
const MOST_FRAME_BYTES = 16_384;
const HEADER = /^(\d{1,9}) ([a-z]{1,32}) (\d{1,5})([ \n])/;
const LONGEST_HEADER = 50;

/** The start of a session. Data of `open`, and of the answer to it. */
export const RELP_OFFER = "relp_version=0\nrelp_software=ghostinbox\ncommands=syslog";

export function relpFrame({ number, command, data }: RelpFrame): string {
  const length = Buffer.byteLength(data);
  return `${number} ${command} ${length}${length === 0 ? "" : ` ${data}`}\n`;
}

export function nextRelpNumber(number: number): number {
  return number === LAST_NUMBER ? 1 : number + 1;
}

/** Whether the answer says that the receiver has accepted the message. */
export function isTaken({ command, data }: RelpFrame): boolean {
  return command === "rsp" && /^200(?:\s|$)/.test(data);
}

/** Splits what a receiver sends into frames, whatever chunks it arrives in. */
export class RelpReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are now complete; null if this is not RELP. */
  push(chunk: Buffer): readonly RelpFrame[] | null {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: RelpFrame[] = [];
    for (;;) {
      // Some senders end a frame without data with a space before the line end.
      const header = HEADER.exec(this.#rest.toString("latin1", 0, LONGEST_HEADER));
      if (header === null) return this.#rest.length < LONGEST_HEADER ? frames : null;
      const [whole, number = "", command = "", length = "", separator] = header;
      const bytes = Number(length);
      if (bytes > MOST_FRAME_BYTES || (separator === "\n" && bytes > 0)) return null;
      const end = separator === "\n" ? whole.length - 1 : whole.length + bytes;
      if (this.#rest.length <= end) return frames;
      if (this.#rest[end] !== LINE_END) return null;
      frames.push({ number: Number(number), command, data: this.#rest.toString("utf8", whole.length, end) });
      this.#rest = this.#rest.subarray(end + 1);
    }
  }
}

const LINE_END = 0x0a;
