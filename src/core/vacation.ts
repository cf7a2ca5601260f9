import { dayAndTime, isoTimeOrNull, type Millis, parseTime } from "./time.ts";

/** The reply that an account sends while its user is away. `subject` empty: that of the mail that came. `until` null: until it is ended. */
export type Vacation = Readonly<{ subject: string; text: string; until: Millis | null }>;

/** UTF-16 units. */
export const VACATION_LIMITS = { subject: 200, text: 4_000 } as const;

/** As typed and shown: `until` in ISO 8601. */
export type WrittenVacation = Readonly<{ subject: string; text: string; until: string | null }>;
export type ParsedVacation = Readonly<{ ok: true; vacation: Vacation }> | Readonly<{ ok: false; says: string }>;

/** Control characters, line breaks and tabs included, and halves of a character. */
const CONTROLS = /[\p{Cc}\p{Cs}]/u;

/** The text may have lines and tabs; a subject is one line. `until` is an ISO time in the future, or a day, to its end in UTC. */
export function parseVacation(written: WrittenVacation, now: Millis): ParsedVacation {
  const subject = written.subject.trim();
  const text = written.text.replaceAll("\r\n", "\n").trim();
  if (text === "") return wrong("The reply has no text.");
  if (text.length > VACATION_LIMITS.text) return wrong(`The text is longer than ${VACATION_LIMITS.text} characters.`);
  if (subject.length > VACATION_LIMITS.subject)
    return wrong(`The subject is longer than ${VACATION_LIMITS.subject} characters.`);
  if (CONTROLS.test(subject)) return wrong("The subject must be one line, without control characters.");
  if (CONTROLS.test(text.replace(/[\n\t]/g, ""))) return wrong("The text must have no control characters.");
  if (written.until === null) return { ok: true, vacation: { subject, text, until: null } };
  const until = parseTime(/^\d{4}-\d\d-\d\d$/.test(written.until) ? `${written.until}T23:59:59Z` : written.until);
  if (until === null) return wrong(`${JSON.stringify(written.until)} is not a time such as 2026-12-24T18:00:00Z.`);
  return until > now ? { ok: true, vacation: { subject, text, until } } : wrong("The reply would have ended already.");
}

export function vacationItem(vacation: Vacation | null): WrittenVacation | null {
  if (vacation === null) return null;
  const { subject, text, until } = vacation;
  return { subject, text, until: isoTimeOrNull(until) };
}

/** `until 2026-12-24 23:59:59 UTC`; once that is past, `ended 2026-12-24 23:59:59 UTC`. */
export function vacationEnd(until: string, now: number): string {
  return `${Date.parse(until) <= now ? "ended" : "until"} ${dayAndTime(until)}`;
}

/** For the command line, with the whole reply. */
export function vacationText(name: string, vacation: WrittenVacation | null, now: number): string {
  if (vacation === null) return `${name} sends no vacation reply.`;
  const { subject, text, until } = vacation;
  const end = until === null ? "until you end it (--off)" : vacationEnd(until, now);
  const head = end.startsWith("ended") ? `The reply of ${name} ${end}:` : `${name} sends this reply, ${end}:`;
  const lines = text.split("\n").map((line) => `  ${line}`.trimEnd());
  return [head, ...(subject === "" ? [] : [`  Subject: ${subject}`, ""]), ...lines].join("\n");
}

function wrong(says: string): ParsedVacation {
  return { ok: false, says };
}
