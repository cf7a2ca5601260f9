import type { LogPattern } from "./pattern.ts";
import { DOVECOT_PATTERNS } from "./patterns-dovecot.ts";
import { REFUSED_PATTERNS } from "./patterns-refused.ts";
import { SESSION_PATTERNS } from "./patterns-session.ts";

/** Every pattern. No line matches two of them (log-patterns.test.ts). */
export const LOG_PATTERNS: readonly LogPattern[] = [...SESSION_PATTERNS, ...REFUSED_PATTERNS, ...DOVECOT_PATTERNS];
