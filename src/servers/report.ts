/** What a server tells the log. The code is stable; `detail` is printable and bounded. */
export type Report = (code: Problem, detail: string) => void;
export type Problem = keyof typeof problems;

export const problems = {
  policy_request_malformed: "Postfix sent what is no policy request; the connection was dropped.",
  policy_flooded: "A client of the policy socket asks faster than it reads; the connection was dropped.",
  login_request_malformed: "A login-policy request could not be read; it was answered with 400.",
  login_secret_wrong: "Someone other than Dovecot called the login-policy port; it was answered with 401.",
  control_line_malformed: "A client of the control socket sent an endless line; the connection was dropped.",
  too_many_connections: "A server has as many connections as it takes; a new one was turned away.",
  internal_error: "A bug: the request was left unanswered, so mail goes on under its static rules.",
} as const satisfies Record<string, string>;

/** What an exception says, for `detail`. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
