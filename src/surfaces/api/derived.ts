import * as z from "zod/mini";
import { $ZodDefault, $ZodNullable, $ZodNumber } from "zod/v4/core";
import { type CommandOf, type VerbEntry, verbs, type WebVerb } from "../../admin/declare/control.ts";
import type { HttpForm, Rights } from "../../admin/declare/verb.ts";
import type { ApiParts } from "./ports.ts";
import { type Method, partsOf, type Route, type RouteNeed, route, type Schema, sendToGuard } from "./route.ts";

export function derivedRoutes({ guard }: Pick<ApiParts, "guard">): readonly Route[] {
  return [...verbs.values()].flatMap((entry) =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each form gets its verb's results
    (entry.routes as unknown as readonly HttpForm<unknown>[]).map((form) => routeOf(guard, entry, form)),
  );
}

function routeOf(guard: ApiParts["guard"], entry: VerbEntry, form: HttpForm<unknown>): Route {
  const { verb, gives } = entry;
  const { says, given, status, own, shape = (result) => result } = form;
  const answer = form.answer ?? (typeof gives.answer === "string" ? undefined : gives.answer);
  const rights: Rights = entry.rights;
  const [method, path] = partsOf(form.route);
  const isQuery = method === "GET" || method === "DELETE";
  const requestFields = requestFieldsOf(entry, form, path);
  const isWebOnly = !rights.from.includes("root");
  const inPath = requestFields.filter(({ isInPath }) => isInPath);
  const rest = requestFields.filter(({ isInPath }) => !isInPath);
  const needs = own === true ? "mailbox" : needsOf(method, rights.needs);
  return route(`${method} /api/v1${path}`, {
    says,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a verb with a route is the web's: a test looks at each
    asks: verb as WebVerb,
    who: own === true || isWebOnly ? "session" : "session_or_token",
    ...(needs !== undefined && { needs }),
    ...(status && { status }),
    ...(inPath.length > 0 && { params: z.object(shapeOf(inPath)) }),
    ...(rest.length > 0 && isQuery && { query: z.object(shapeOf(rest.map(asText))) }),
    ...(rest.length > 0 && !isQuery && { body: bodyOf(form, rest) }),
    ...(answer && { answer: answer() }),
    run: (call) => {
      const { caller, params, query, body } = call;
      const sent: Values = { ...query, ...body };
      const values = requestFields.map(
        ({ field, name, isInPath }) => [field, (isInPath ? params : sent)[name]] as const,
      );
      const sentFields = values.filter(([, value]) => value !== undefined);
      const whose = own === true && rights.user !== undefined ? { [rights.user]: caller?.account ?? "" } : {};
      // A parsed body includes defaults, a query does not. The guard parses both again, because it does not trust the web.
      const command = { verb, ...Object.fromEntries(sentFields), ...given, ...whose };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `asks`
      return sendToGuard(guard, call, command as CommandOf<WebVerb>, shape);
    },
  });
}

type Values = Readonly<Record<string, unknown>>;
/** Where a request has a field: its name there, and whether it is in the path. */
type RequestField = Readonly<{ field: string; name: string; isInPath: boolean; schema: Schema }>;

function requestFieldsOf(entry: VerbEntry, form: HttpForm<unknown>, path: string): readonly RequestField[] {
  const { given = {}, named = {}, fields = {}, own } = form;
  const rights: Rights = entry.rights;
  const inPath = new Set([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  return Object.entries<Schema>(entry.fields)
    .filter(([field]) => !(field in given) && !(own === true && field === rights.user))
    .map(([field, schema]) => {
      const name = named[field] ?? field;
      // A name in the path belongs to the first field with that name.
      return { field, name, isInPath: inPath.delete(name), schema: fields[field] ?? schema };
    });
}

function shapeOf(fields: readonly RequestField[]): Readonly<Record<string, Schema>> {
  return Object.fromEntries(fields.map(({ name, schema }) => [name, schema]));
}

function bodyOf({ check = () => null }: HttpForm<unknown>, fields: readonly RequestField[]): Schema<Values> {
  const body = z.strictObject(shapeOf(fields));
  return body.check((given) => {
    const message = check(given.value);
    if (message !== null) given.issues.push({ code: "custom", message, input: given.value });
  });
}

/** In a query every field is text, and absent if it is null or has its default. */
function asText(requestField: RequestField): RequestField {
  const { schema } = requestField;
  const inner = innermost(schema);
  const value = isNumber(inner) ? z.pipe(NUMBER, inner) : inner;
  const field = inner === schema ? value : z.optional(value);
  z.globalRegistry.add(field, z.globalRegistry.get(schema) ?? {});
  return { ...requestField, schema: field };
}

const NUMBER = z.pipe(z.string().check(z.regex(/^\d{1,15}$/, "is not a whole number")), z.transform(Number));

function isNumber(schema: Schema): schema is z.core.$ZodNumber<number> {
  return schema instanceof $ZodNumber;
}

function innermost(schema: Schema): Schema {
  const isWrapped = schema instanceof $ZodDefault || schema instanceof $ZodNullable;
  return isWrapped ? innermost(schema._zod.def.innerType) : schema;
}

/**
 * The guard decides who may change something. The web itself only separates what is for administrators from what is for mailbox
 * users. Undefined: the route's default.
 */
function needsOf(method: Method, needs: VerbEntry["rights"]["needs"]): RouteNeed | undefined {
  if (needs === "nothing" || needs === "caller") return undefined;
  return method === "GET" || needs === "admin" || needs === "mailbox" ? needs : undefined;
}
