/** A log message of a server. The code is stable; `detail` is printable and bounded. */
export type Report = (code: ServerFault, detail: string) => void;
export type ServerFault = keyof typeof problems;

export const problems = {
  policy_request_malformed: "Postfix sent what is not a policy request; the connection was dropped.",
  policy_flooded: "A client of the policy socket asks faster than it reads; the connection was dropped.",
  login_request_malformed: "A login-policy request could not be read; it was answered with 400.",
  login_secret_wrong: "Someone other than Dovecot called the login-policy port; it was answered with 401.",
  control_line_malformed: "A client of the control socket sent an endless line; the connection was dropped.",
  too_many_connections: "A server has as many connections as it takes; a new one was turned away.",
  internal_error: "A bug: the request was left unanswered, so its client must try again.",
} as const satisfies Record<string, string>;

const MOST_A_MINUTE = 10;
const MINUTE_MS = 60_000;

/**
 * Passes on the first ten of each code in a minute, and then how many were dropped. Otherwise a client could push
 * everything else out of the log.
 */
export function atMostTenAMinute(report: Report, now: () => number): Report {
  const spans = new Map<ServerFault, { since: number; count: number }>();
  return (code, detail) => {
    const span = spans.get(code);
    const at = now();
    if (span !== undefined && at >= span.since && at < span.since + MINUTE_MS) {
      span.count += 1;
      if (span.count <= MOST_A_MINUTE) report(code, detail);
      return;
    }
    spans.set(code, { since: at, count: 1 });
    const unsaid = (span?.count ?? 0) - MOST_A_MINUTE;
    report(code, unsaid > 0 ? `${detail} (${unsaid} more went unsaid)`.trim() : detail);
  };
}
