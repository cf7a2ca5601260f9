import * as z from "zod";
import { $ZodObject, $ZodOptional } from "zod/v4/core";
import { rightsOf } from "../../../admin/declare/rights.ts";
import { acceptsRepeatKey, REPEAT_KEY } from "../repeats.ts";
import { DRY_RUN, mayBeDry } from "../request.ts";
import { type Route, type Schema, scopeOf } from "../route.ts";

export type Json = { readonly [key: string]: unknown };

export function operationOf(row: Route, schemas: Schemas): Json {
  const { path, says, schemas: of, bodyBytes } = row;
  const parameters = [
    ...parametersOf(of.params, "path", schemas),
    ...parametersOf(of.query, "query", schemas),
    ...(mayBeDry(row) ? [{ $ref: `#/components/parameters/${DRY_RUN}` }] : []),
    ...(acceptsRepeatKey(row) ? [{ $ref: `#/components/parameters/${REPEAT_KEY}` }] : []),
  ];
  const remark = remarkOf(row);
  return {
    operationId: idOf(row),
    tags: [tagOf(path)],
    summary: says,
    ...(remark !== null && { description: remark }),
    security: securityOf(row),
    ...(parameters.length > 0 && { parameters }),
    ...(of.body && { requestBody: requestBody(schemas.of(of.body, "input"), bodyBytes) }),
    responses: responsesOf(row, schemas),
  };
}

/** `DELETE /api/v1/bans/{network}` is `deleteBansByNetwork`. */
function idOf({ method, path }: Route): string {
  const words = path
    .replace(/^\/api(?:\/v1)?\//, "/")
    .replaceAll(/\{(\w+)\}/g, "by-$1")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "");
  const named = words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join("");
  return `${method.toLowerCase()}${named === "" ? "Page" : named}`;
}

/** Each authentication method, with the required scopes (OpenAPI 3.1.1, Security Requirement Object). */
function securityOf(row: Route): readonly Json[] {
  if (row.who === "anyone") return [];
  const scopes = scopesOf(row);
  return [{ session: scopes }, ...(row.who === "session" ? [] : [{ token: scopes }])];
}

function scopesOf(row: Route): readonly string[] {
  const read = scopeOf(row);
  // The scope of a command applies to the administrator's route only, because users of mailboxes have no scopes.
  const needs = row.asks === undefined || read === "mailbox" ? "nothing" : rightsOf(row.asks).needs;
  const commanded = needs === "nothing" || needs === "caller" ? null : needs;
  return [...new Set([read, commanded].filter((scope) => scope !== null))];
}

/** What callers must know in addition to the summary; null if nothing. */
function remarkOf({ asks }: Route): string | null {
  if (asks === undefined) return null;
  const { proof, proofWithout } = rightsOf(asks);
  if (proof !== true && proofWithout === undefined) return null;
  const when = proof === true ? "Needs" : `Without \`${proofWithout}\` it needs`;
  return `${when} a fresh proof: the password or a passkey, given to \`/api/v1/session/proof\` within the last 10 minutes. Tokens cannot give one.`;
}

function responsesOf(row: Route, schemas: Schemas): Json {
  const { schemas: of, type, status = 200, down, method, endless } = row;
  const schema = of.answer && schemas.of(of.answer, "output");
  const isTagged = method === "GET" && endless !== true;
  return {
    ...(status === 201 && mayBeDry(row) && { 200: response("What a dry run would have done.", schema) }),
    ...problemsOf(row),
    [status]: {
      ...response(SUCCESS[status], schema, status === 204 ? undefined : (type ?? "application/json")),
      headers: { ...(isTagged && ETAG), ...(row.who !== "anyone" && RATE) },
    },
    ...(down && { 503: response("Something essential is down.", schemas.of(down, "output")) }),
    ...(isTagged && { 304: { description: "Unchanged since `If-None-Match`.", headers: ETAG } }),
    default: responseRef("Problem"),
  };
}

const ETAG = { ETag: header("For `If-None-Match`.") };
const RATE = {
  "RateLimit-Policy": header("How many requests (`q`) a session or token may send within `w` seconds."),
  RateLimit: header("How many requests are left (`r`) for the next `t` seconds."),
};
const SUCCESS = { 200: "The answer.", 201: "Done.", 204: "Done; no content." } as const;

/** A header that is always there. */
export function header(description: string): Json {
  return { description, required: true, schema: { type: "string" } };
}

function problemsOf(row: Route): Json {
  const { who, path, method, schemas, asks } = row;
  const isCalled = who !== "anyone";
  const isPage = tagOf(path) === "page";
  const signsIn = !isCalled && method !== "GET";
  const problems = [
    [400, "BadRequest", !isPage],
    [404, "Problem", isPage],
    [401, "Unauthorized", isCalled || signsIn],
    [403, "Forbidden", isCalled || signsIn],
    [409, "Conflict", isCalled && asks !== undefined],
    [413, "TooLarge", schemas.body !== undefined],
    [422, "KeyReused", acceptsRepeatKey(row)],
    [429, "TooMany", isCalled || signsIn],
    [503, "Unavailable", isCalled || signsIn],
  ] as const;
  const possible = problems.filter(([, , isPossible]) => isPossible);
  return Object.fromEntries(possible.map(([status, name]) => [status, responseRef(name)]));
}

function responseRef(name: string): Json {
  return { $ref: `#/components/responses/${name}` };
}

function response(description: string, schema?: Json, type = schema && "application/json"): Json {
  if (type === undefined) return { description };
  return { description, content: { [type]: schema ? { schema } : {} } };
}

function requestBody(schema: Json, bytes: number): Json {
  return { required: true, description: `At most ${bytes} bytes.`, content: { "application/json": { schema } } };
}

function parametersOf(schema: Schema | undefined, place: "path" | "query", schemas: Schemas): readonly Json[] {
  if (!(schema instanceof $ZodObject)) return [];
  const fields: Readonly<Record<string, Schema>> = schema._zod.def.shape;
  return Object.entries(fields).map(([name, field]) => {
    const { description, ...json } = schemas.of(field, "input");
    const required = place === "path" || !(field instanceof $ZodOptional);
    return { name, in: place, required, ...(description !== undefined && { description }), schema: json };
  });
}

/** Groups of routes in reading order. `paths`: the first words of their paths below `/api/v1/`, `/api/` or `/`. */
export const TAGS = [
  { name: "bans", description: "Who is banned.", paths: "bans security" },
  { name: "allow list", description: "Who is never banned.", paths: "allow" },
  { name: "explanations", description: "Why something happened.", paths: "why" },
  { name: "events", description: "What happens, as a list and as streams.", paths: "events stream" },
  { name: "figures", description: "Counts and metrics.", paths: "figures top stats metrics" },
  { name: "mail", description: "The queue, held mail, greylisting.", paths: "queue held greylist mail spam" },
  { name: "accounts", description: "Mailboxes and aliases.", paths: "accounts access aliases" },
  { name: "my mailbox", description: "Users' own mailboxes: what they can see and change.", paths: "me" },
  {
    name: "access",
    description: "The sign-in, sessions, tokens, second factors.",
    paths: "login logout session sessions tokens factors",
  },
  {
    name: "system",
    description: "The state of the server, its settings, and this description.",
    paths:
      "status healthz openapi.json alerts backups upkeep audit incidents firewall fail2ban retention encryption system settings checks certificate dns",
  },
  { name: "page", description: "The files of the dashboard.", paths: "" },
] as const;

/** The name of a route's group; `page` if no other group has its path. */
export function tagOf(path: string): string {
  const [first = ""] = path.replace(/^\/(?:api\/(?:v1\/)?)?/, "").split("/");
  return TAGS.find(({ paths }) => paths.split(" ").includes(first))?.name ?? "page";
}

/** Schemas in OpenAPI form. Those with an `id` are defined once in the document's components, and referenced by that id. */
export class Schemas {
  readonly #named: Record<string, Json> = {};

  of(schema: z.core.$ZodType, io: "input" | "output"): Json {
    const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
    for (const [name, named] of Object.entries($defs ?? {})) this.#named[name] = withComponentRefs(named);
    return withComponentRefs(json);
  }

  named(): Readonly<Record<string, Json>> {
    return Object.fromEntries(Object.entries(this.#named).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Moves references to where an OpenAPI document has its definitions. */
function withComponentRefs(schema: object): Json {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the text of an object parses to an object
  return JSON.parse(text) as Json;
}
