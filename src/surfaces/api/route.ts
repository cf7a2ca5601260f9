import * as z from "zod";
import type { CommandOf, Reply, WebVerb } from "../../admin/declare/control.ts";
import { rightsOf } from "../../admin/declare/rights.ts";
import type { Scope } from "../../core/access/scopes.ts";
import type { Ip } from "../../core/net/ip.ts";
import type { Caller, WhoMayCall } from "./access.ts";
import { API_LIMITS } from "./limits.ts";
import type { Asking, GuardPort, Unreachable } from "./ports.ts";
import { denied, guardDown, problem, uncertain } from "./problem.ts";

/** The input of a handler, once the request has passed the access rule and its schemas. */
export type RouteCall<P, Q, B> = Asking &
  Readonly<{
    params: P;
    query: Q;
    body: B;
    ip: Ip;
    /** The client came over https. */
    secure: boolean;
    caller: Caller | null;
    headers: Headers;
    /** For a stream: whether its caller may still read it, as of a few seconds ago. */
    stillAllowed: () => boolean;
    /** Ends the connection of a client that reads too slowly. */
    drop: () => void;
  }>;

/** A value of the answer's schema, or a complete response, such as a problem. */
type RouteAnswer<A> = Unchanged<A> | Response;

/** The same type with every part read-only. */
type Unchanged<A> = A extends readonly (infer I)[]
  ? readonly Unchanged<I>[]
  : A extends object
    ? { readonly [K in keyof A]: Unchanged<A[K]> }
    : A;

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export type RouteNeed = Scope | "mailbox";

/** As in OpenAPI: `GET /api/v1/why/{ip}`. A network, address or message id at the end takes the rest of the path, with slashes. */
type RouteLine = `${Method} ${string}`;

type Shape = Readonly<{
  method: Method;
  path: string;
  who: WhoMayCall;
  /**
   * The scope that the caller's session or token needs. Default: `read` for GET; otherwise the guard decides. Null: none.
   * `mailbox`: the caller must be the user of a mailbox.
   */
  needs?: RouteNeed | null;
  /** The command for the guard, which checks rights and proof. `/openapi.json` shows what it requires. */
  asks?: WebVerb;
  /** One sentence. */
  says: string;
  /** Maximum size of the body; 0 if none is expected. */
  bodyBytes: number;
  /** Unknown parameters are ignored: links, health checks and older scripts may add some. */
  anyQuery?: true;
  /** The status of a successful answer; 204 has no body. */
  status?: 200 | 201 | 204;
  /** The schema of its 503 while something essential is down, which is no problem document. */
  down?: Schema;
  /** The content type, if not `application/json`. */
  type?: string;
  /** A stream ends when the client leaves; other answers take at most `API_LIMITS.answerMs`. */
  endless?: true;
  /** An open page requests it each minute, so it does not prolong a session. */
  isPolled?: true;
}>;

/** A schema with its inferred type. zod's whole `ZodType` would make the program compile 50 % longer. */
export type Schema<T = unknown> = z.core.$ZodType<T>;

type Schemas = Readonly<Record<"params" | "query" | "body" | "answer", Schema | undefined>>;

type Typed<P, Q, B, A> = Omit<Shape, "method" | "path" | "who" | "bodyBytes"> &
  Readonly<{
    /** By default `session_or_token`. */
    who?: WhoMayCall;
    params?: Schema<P>;
    query?: Schema<Q>;
    body?: Schema<B>;
    answer?: Schema<A>;
    run: (call: RouteCall<P, Q, B>) => RouteAnswer<A> | Promise<RouteAnswer<A>>;
  }>;

/** One row of the table, without its type parameters. */
export type Route = Shape &
  Readonly<{ schemas: Schemas; run: (call: RouteCall<unknown, unknown, unknown>) => Promise<unknown> }>;

/** Checks the request against the row's schemas, then runs its handler. */
export function route<P, Q, B, A>(line: RouteLine, row: Typed<P, Q, B, A>): Route {
  const { params, query, body, answer, run, ...shape } = row;
  const [method, path] = partsOf(line);
  const mostBytes = row.who === "anyone" ? API_LIMITS.strangersBodyBytes : API_LIMITS.bodyBytes;
  return {
    who: "session_or_token",
    bodyBytes: body === undefined ? 0 : mostBytes,
    ...shape,
    method,
    path,
    schemas: { params, query, body, answer },
    run: async (call) => {
      const checked = [check(params, call.params), check(query, call.query), check(body, call.body)] as const;
      const [inPath, inQuery, inBody] = checked;
      if (inPath instanceof Response) return inPath;
      if (inQuery instanceof Response) return inQuery;
      if (inBody instanceof Response) return inBody;
      return run({ ...call, params: inPath.value, query: inQuery.value, body: inBody.value });
    },
  };
}

/**
 * Sends a command to the guard for the caller, as a dry run if the call is one. `shape` turns the result into the route's answer; a
 * refusal becomes a problem.
 */
export async function sendToGuard<V extends WebVerb, A>(
  guard: GuardPort,
  { asker, isDry }: Asking,
  asked: CommandOf<V>,
  shape: (result: Extract<Reply<V>, { ok: true }>["result"]) => A,
): Promise<A | Response> {
  const reply: Reply<V> | Unreachable = await guard.ask(asker, asked, { isDry });
  if (reply.ok) return shape(reply.result);
  if (reply.kind === "unreachable")
    return reply.mayBeDone === true ? uncertain(problem("timeout", "The guard did not answer in time.")) : guardDown();
  if (reply.denied !== undefined) return denied(reply.denied, reply);
  const code = reply.isMissing === true ? "not_found" : reply.kind === "usage" ? "invalid_request" : "refused";
  const refused = problem(code, reply.message, { next: reply.next });
  return code === "refused" && reply.mayBeDone === true ? uncertain(refused) : refused;
}

export function partsOf(line: RouteLine): readonly [Method, string] {
  const [method = "GET", path = ""] = line.split(" ");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the type of a line says
  return [method as Method, path];
}

/** The right that the web checks itself; the guard checks those of the commands that it carries out. */
export function scopeOf({ needs, method, who }: Pick<Route, "needs" | "method" | "who">): RouteNeed | null {
  if (needs !== undefined) return needs;
  return who !== "anyone" && method === "GET" ? "read" : null;
}

/**
 * Why the caller may not use a route; null if it may, as far as the web can tell. The session of a mailbox user may use only routes
 * of mailboxes and those that every session needs, such as the sign-out.
 */
export function whyNot(
  row: Route,
  { account, scopes }: Pick<Caller, "account" | "scopes">,
): RouteNeed | "mailbox_only" | null {
  const need = scopeOf(row);
  if (account !== null) {
    const isOfEach = row.needs === null || (row.asks !== undefined && rightsOf(row.asks).needs === "caller");
    return need === "mailbox" || isOfEach ? null : "mailbox_only";
  }
  if (need === null) return null;
  return need !== "mailbox" && scopes.includes(need) ? null : need;
}

function check<T>(schema: Schema<T> | undefined, value: unknown): Readonly<{ value: T }> | Response {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without a schema nothing infers T but `unknown`
  if (schema === undefined) return { value: undefined as T };
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return { value: parsed.data };
  return problem("invalid_request", sentence(parsed.error.issues));
}

function sentence(issues: readonly z.core.$ZodIssue[]): string {
  const faults = issues
    .flatMap(nearest)
    .slice(0, 3)
    .map((issue) => {
      if (issue.code === "invalid_type" && issue.path.length === 0) return "The body is not a JSON object";
      if (issue.code === "unrecognized_keys") return `${issue.keys.slice(0, 3).join(", ")} is not a known field`;
      return issue.path.length === 0 ? issue.message : `${issue.path.join(".")} ${issue.message}`;
    });
  return `${faults.join("; ")}.`;
}

/** If no member of a union fits, returns the faults of the closest one, which is the one whose faults lie deepest. */
function nearest(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const depth = (faults: readonly z.core.$ZodIssue[]): number => faults[0]?.path.length ?? 0;
  const best = issue.errors.reduce((one, other) => (depth(other) >= depth(one) ? other : one));
  return best.map((fault) => ({ ...fault, path: [...issue.path, ...fault.path] }));
}
