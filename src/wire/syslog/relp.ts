/**
 * RELP, the Reliable Event Logging Protocol of rsyslog: each message has a number, and the receiver answers each.
 * Frames are `NUMBER COMMAND LENGTH[ DATA]
 `, numbers go from 1 to 999,999,999 and start again (librelp, relp.html).
 */

export type RelpFrame = Readonly<{ number: number; command: string; data: string }>;

const LAST_NUMBER = 999_999_999;
/** Answers are short; a longer one is not RELP. */
const MOST_BYTES = 16_384;
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

/** Whether the answer says that the receiver has taken it. */
export function isTaken({ command, data }: RelpFrame): boolean {
  return command === "rsp" && /^200(?:\s|$)/.test(data);
}

/** Cuts what a receiver sends into frames, wherever the stream was split. */
export class RelpReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are now whole; null if this is not RELP. */
  push(chunk: Buffer): readonly RelpFrame[] | null {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: RelpFrame[] = [];
    for (;;) {
      // Some senders end a frame without data with a blank before the line end.
      const header = HEADER.exec(this.#rest.toString("latin1", 0, LONGEST_HEADER));
      if (header === null) return this.#rest.length < LONGEST_HEADER ? frames : null;
      const [whole, number = "", command = "", length = "", separator] = header;
      const bytes = Number(length);
      if (bytes > MOST_BYTES || (separator === "\n" && bytes > 0)) return null;
      const end = separator === "\n" ? whole.length - 1 : whole.length + bytes;
      if (this.#rest.length <= end) return frames;
      if (this.#rest[end] !== LINE_END) return null;
      frames.push({ number: Number(number), command, data: this.#rest.toString("utf8", whole.length, end) });
      this.#rest = this.#rest.subarray(end + 1);
    }
  }
}

const LINE_END = 0x0a;
