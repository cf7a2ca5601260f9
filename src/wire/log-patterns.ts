import type { LogPattern } from "./log-pattern.ts";
import { DOVECOT_PATTERNS } from "./log-patterns-dovecot.ts";
import { REFUSED_PATTERNS } from "./log-patterns-refused.ts";
import { SESSION_PATTERNS } from "./log-patterns-session.ts";

/** Every pattern. No line matches two of them (log-patterns.test.ts). */
export const LOG_PATTERNS: readonly LogPattern[] = [...SESSION_PATTERNS, ...REFUSED_PATTERNS, ...DOVECOT_PATTERNS];
