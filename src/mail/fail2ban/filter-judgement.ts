import { type Ip, parseIp } from "../../core/net/ip.ts";
import { instant, type Millis, SECOND_MS } from "../../core/time.ts";

/** A line that a filter matched, and the address it blames. */
export type FilterMatch = Readonly<{ ip: Ip; at: Millis; line: string }>;

/**
 * The answer of `security/judge-filter.py`. `tricked`: the line with which an attacker chooses the address it blames.
 */
export type Judgement =
  | Readonly<{ ok: true; matches: readonly FilterMatch[]; lines: number; tricked: string | null }>
  | Readonly<{ ok: false; reason: string }>;

/** Null if it is not an answer of that program. */
export function parseJudgement(text: string): Judgement | null {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof said !== "object" || said === null) return null;
  if ("error" in said) return { ok: false, reason: String(said.error) };
  if (!("matches" in said && "lines" in said && "tricked" in said && Array.isArray(said.matches))) return null;
  const matches = said.matches.flatMap(matchIn);
  const tricked = typeof said.tricked === "string" ? said.tricked : null;
  return { ok: true, matches, lines: Number(said.lines), tricked };
}

/** A host name that is not an address cannot be banned. */
function matchIn(value: unknown): readonly FilterMatch[] {
  if (!Array.isArray(value)) return [];
  const fields: readonly unknown[] = value;
  const [address, seconds, line] = fields;
  const ip = typeof address === "string" ? parseIp(address) : null;
  if (ip === null || typeof seconds !== "number" || typeof line !== "string") return [];
  return [{ ip, at: instant(seconds * SECOND_MS), line }];
}
