import * as z from "zod";
import { VERSION } from "../../../core/version.ts";
import { PROBLEM_CODES } from "../problem.ts";
import { REPEAT_KEY } from "../repeats.ts";
import { DRY_RUN } from "../request.ts";
import type { Route } from "../route.ts";
import { header, type Json, operationOf, Schemas, TAGS, tagOf } from "./openapi-operation.ts";

/** OpenAPI 3.1, derived from the table that the router reads. */
export function openApi(table: readonly Route[]): Json {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, Json>> = {};
  for (const row of table) {
    const methods = (paths[row.path] ??= {});
    methods[row.method.toLowerCase()] = operationOf(row, schemas);
  }
  const used = new Set(table.map(({ path }) => tagOf(path)));
  const content = { "application/problem+json": { schema: schemas.of(PROBLEM_SHAPE, "output") } };
  return {
    openapi: "3.1.1",
    info: {
      title: "GhostInbox",
      version: VERSION,
      summary: "Bans, the allow list, events and their explanations.",
      description:
        "Times are ISO 8601 in UTC. Each error is a problem document (RFC 9457) with a stable `code` and, in `next`, what to do. Each route's `security` lists the scopes it needs.",
      license: { name: "MIT", identifier: "MIT" },
    },
    // Relative to this document, so it works below any path of a proxy.
    servers: [{ url: ".", description: "The server that sent this description." }],
    tags: TAGS.filter(({ name }) => used.has(name)).map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "`./ghostinbox token create NAME`" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-ghostinbox",
          description: "Set by the sign-in; over plain HTTP its name is `ghostinbox`.",
        },
      },
      parameters: { [DRY_RUN]: DRY_RUN_SHAPE, [REPEAT_KEY]: REPEAT_KEY_SHAPE },
      responses: Object.fromEntries(Object.entries(PROBLEMS).map(([name, one]) => [name, { ...one, content }])),
      schemas: schemas.named(),
    },
  };
}

const DRY_RUN_SHAPE = {
  name: DRY_RUN,
  in: "query",
  required: false,
  description: "If `true`, the guard checks the command and returns what it would do; nothing is changed or recorded.",
  schema: { type: "string", enum: ["true", "false"] },
};

const REPEAT_KEY_SHAPE = {
  name: REPEAT_KEY,
  in: "header",
  required: false,
  description:
    "A text of your choice, such as a UUID in quotes. A request that is repeated with it within 24 hours is not carried out again: it gets the first answer, or 409 if that was not kept. After a refusal, repeat it with the same key.",
  schema: { type: "string", maxLength: 257 },
  example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
};

/** Responses shared by many routes, by the names with which operations reference them. */
const RETRY_AFTER = { "Retry-After": header("Seconds after which a retry may succeed.") };
const CHALLENGE = {
  "WWW-Authenticate": { description: "`Bearer`; absent at the sign-in.", schema: { type: "string" } },
};
const PROBLEMS: Readonly<Record<string, Readonly<{ description: string; headers?: Json }>>> = {
  BadRequest: { description: "The request is wrong: a parameter or the body." },
  Unauthorized: { description: "No valid session or token.", headers: CHALLENGE },
  Forbidden: {
    description:
      "The session or token lacks a scope or a fresh proof, the route needs a session, or another site's page sent the request.",
  },
  Conflict: { description: "The request is valid but is refused in the current state; `detail` says why." },
  KeyReused: { description: "The `Idempotency-Key` was already used for a different request." },
  TooLarge: { description: "The body is too large." },
  TooMany: { description: "Too many requests; `Retry-After` says when to try again.", headers: RETRY_AFTER },
  Unavailable: {
    description:
      "The guard or the database is down, or too many searches are running; `Retry-After` says when to try again.",
    headers: RETRY_AFTER,
  },
  Problem: { description: "Any other problem." },
};

const PROBLEM_SHAPE = z
  .object({
    type: z.string().describe("A URI for the kind of problem; `code` is more specific."),
    title: z.string().describe("The name of the status."),
    status: z.number().int(),
    code: z.enum(PROBLEM_CODES).describe("Stable; for scripts."),
    detail: z.string().describe("One sentence for people."),
    next: z.string().describe("What to do about it."),
  })
  .meta({
    id: "Problem",
    examples: [
      {
        type: "about:blank",
        title: "Bad Request",
        status: 400,
        code: "invalid_request",
        detail: "limit is more than 500.",
        next: "`/openapi.json` says what this route takes.",
      },
    ],
  });
