import { isAboutLogins } from "../../core/decide/jails.ts";
import { LIVE_REFUSALS } from "../../core/decide/live-refusals.ts";
import { reasons } from "../../core/events/reasons.ts";
import type { JailLine } from "../../core/events/report.ts";
import type { Millis } from "../../core/time.ts";
import { timeOfLine } from "../logs/log-time.ts";
import { parseMailLine } from "../logs/mail-line.ts";
import { CLIENT, PATH, STATE } from "../logs/pattern.ts";

/** What a line that a jail matched says. `lastAt`: when the last of its lines was written. */
export function readJailLine(text: string, jail: string, lastAt: Millis): JailLine {
  const at = timeOfLine(text, lastAt) ?? lastAt;
  return { text, at: at < lastAt ? at : lastAt, about: isAboutLogins(jail) ? "login" : aboutWhat(text) };
}

/** The end of a session with failed sign-ins or refused recipients is not a further offence. */
const ENDED = new RegExp(`^(?:lost connection after AUTH|too many errors after (?<state>AUTH|RCPT)) from ${CLIENT}$`);
/** `QUEUEID: reject: STATE from CLIENT: CODE <what it was about>: Recipient address rejected: WORDS` (smtpd(8)). */
const REFUSED = new RegExp(
  `^\\w{1,20}: reject: ${STATE} from ${CLIENT}: [45]\\d\\d [45]\\.\\d\\.\\d{1,3} ${PATH}: [A-Z][A-Za-z -]{1,40} rejected: ` +
    `(?:${LIVE_REFUSALS.map(wordsOf).join("|")})(?:;|$)`,
);

function aboutWhat(line: string): JailLine["about"] {
  const parsed = parseMailLine(line);
  if (parsed === null || parsed.program !== "smtpd") return "log";
  if (REFUSED.test(parsed.text)) return "refusal";
  const ended = ENDED.exec(parsed.text);
  if (ended === null) return "log";
  return ended.groups?.["state"] === "RCPT" ? "refusal" : "login";
}

/** As a pattern, without the codes. */
function wordsOf(reason: (typeof LIVE_REFUSALS)[number]): string {
  const words = (reasons[reason].smtp ?? "").replace(/^\d{3} (?:\d\.\d\.\d{1,3} )?/, "");
  const escaped = words.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return escaped.replace("{ip}", "[0-9a-f.:]{2,45}").replace("{zone}", "[\\w.-]{1,255}");
}
