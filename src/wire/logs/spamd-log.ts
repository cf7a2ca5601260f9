import { BoundedMap } from "../../core/bounded-map.ts";
import type { Observation } from "../../core/events/log.ts";

/**
 * Lines of spamd(8p). A mail leaves two, which share the process id of the child that scored it:
 *
 *     [2] info: spamd: identified spam (5.9/5.0) for anna@example.org:111 in 0.1 seconds, 154 bytes.
 *     [2] info: spamd: result: Y 5 - GTUBE scantime=0.1,…,user=anna@example.org,…,required_score=5.0,…,mid=<a@b>,…
 *
 * The second has the score cut to a whole number. spamd replaces commas within a Message-ID.
 */
export class SpamdLog {
  readonly #exact = new BoundedMap<string, number>(MOST_CHILDREN);

  /** Null: the line does not end a mail. */
  read(line: string): Observation | null {
    if (line.length > LONGEST_LINE) return null;
    const [, pid = "", said = ""] = /^(?:\S+ )?\[(\d+)\] info: spamd: (.*)$/.exec(line) ?? [];
    const [, exact] = /^(?:identified spam|clean message) \((-?\d+(?:\.\d+)?)\//.exec(said) ?? [];
    if (exact !== undefined) {
      this.#exact.set(pid, Number(exact));
      return null;
    }
    const [, whole, user = "", required, messageId = ""] = RESULT.exec(said) ?? [];
    if (whole === undefined || required === undefined) return null;
    const score = this.#exact.get(pid) ?? Number(whole);
    this.#exact.delete(pid);
    const recipient = user.includes("@") ? user : null;
    return { type: "SPAM_SCORED", score, required: Number(required), messageId, recipient };
  }
}

/** spamd's own lines are far shorter; text that is matched against a pattern has a bound. */
const LONGEST_LINE = 4_096;
/** More than spamd ever has at once: lines without their second half are forgotten. */
const MOST_CHILDREN = 64;
const RESULT =
  /^result: [Y.] +(-?\d+) - \S* scantime=[\d.]+,size=\d+,user=([^,]*),.*?,required_score=(-?[\d.]+),.*?,mid=([^,]*),/;
