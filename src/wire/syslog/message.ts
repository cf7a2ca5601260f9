import type { ShownEvent } from "../../core/events/columns.ts";
import { ecsLine } from "../../core/events/ecs-line.ts";

/** Facility `authpriv` (RFC 5424 section 6.2.1: security and authorization). */
const FACILITY = 10;
const NOTICE = 5;
const INFORMATIONAL = 6;

/** What a receiver should take (RFC 5425 section 4.3.1), and what rsyslog takes by default. */
const MOST_BYTES = 8_192;

/** The number that RFC 5612 keeps for documentation: we have none of our own. */
const OWN_DATA = "ghostinbox@32473";

/**
 * An event as a message of RFC 5424. MSGID is its type, `id` of the structured data its id, by which a receiver tells one
 * that came twice; MSG is the event as JSON (`events --ecs`), in ASCII, so that no byte order mark is needed.
 */
export function syslogMessage(event: ShownEvent, hostname: string): string {
  const severity = WARNED.includes(event.verdict ?? "") || event.type === "BAN" ? NOTICE : INFORMATIONAL;
  const head = `<${FACILITY * 8 + severity}>1 ${event.at} ${hostname} ghostinbox - ${event.type} [${OWN_DATA} id="${event.id}"] `;
  const whole = head + ascii(ecsLine(event));
  // Only the sentences are as long as strangers like; each other field is bounded, and they say all.
  return whole.length <= MOST_BYTES ? whole : head + ascii(ecsLine(shortened(event)));
}

const WARNED: readonly string[] = ["refuse", "hold", "lose"];
const LONGEST_FIELD = 255;

function shortened(event: ShownEvent): ShownEvent {
  const cut = (text: string | null): string | null => text?.slice(0, LONGEST_FIELD) ?? null;
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
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Octet counting (RFC 5425 section 4.3). */
export function octetCounted(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}
