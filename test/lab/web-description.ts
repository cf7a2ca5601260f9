import * as z from "zod";
import type { WebAnswer } from "./web-client.ts";

type Content = Readonly<Record<string, Readonly<{ schema?: Parameters<typeof z.fromJSONSchema>[0] }>>>;
type Headers = Readonly<Record<string, Readonly<{ required?: boolean }>>>;
type Response = Readonly<{ content?: Content; headers?: Headers }>;
/** Responses that any route may give undocumented: not found, wrong method, a bug. */
const UNSAID = [404, 405, 500];
type Operation = Readonly<{
  security: readonly Readonly<Record<string, unknown>>[];
  requestBody?: object;
  responses: Readonly<Record<string, Response>>;
}>;

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

export type Description = ReturnType<typeof describedBy>;

/** `/openapi.json` as the running server returns it. */
export function describedBy(document: unknown) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- if a part is missing, each test fails
  const { paths } = whole(document, document) as Readonly<{ paths: Paths }>;

  /** All routes, such as `GET /api/v1/why/{ip}`. */
  const routes = (): readonly string[] =>
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );

  function operation(route: string): Operation {
    const [method = "", path = ""] = route.split(" ");
    const found = paths[path]?.[method.toLowerCase()];
    if (found === undefined) throw new Error(`${route} is not described`);
    return found;
  }

  /** How an answer differs from its description: status, headers, type, body. */
  function faults(route: string, answer: WebAnswer): readonly string[] {
    const { responses } = operation(route);
    const response = responses[answer.status] ?? responses["default"];
    const isDescribed = responses[answer.status] !== undefined || UNSAID.includes(answer.status);
    if (response === undefined || !isDescribed) return [`${answer.status} is not described`];
    const missing = Object.entries(response.headers ?? {})
      .filter(([name, { required }]) => required === true && answer.headers[name.toLowerCase()] === undefined)
      .map(([name]) => `${answer.status} without ${name}`);
    if (missing.length > 0) return missing;
    const types = Object.keys(response.content ?? {});
    if (types.length === 0) return answer.text === "" ? [] : [`a body where none is described: ${answer.text}`];
    const type = answer.headers["content-type"] ?? "";
    const described = response.content?.[type];
    if (described === undefined) return [`type ${type}, described ${types.join(", ")}`];
    if (described.schema === undefined) return [];
    const { error } = z.fromJSONSchema(described.schema).safeParse(answer.json());
    return error === undefined ? [] : [z.prettifyError(error)];
  }

  return { routes, operation, faults };
}

/** Resolves `$ref` (no schema of ours contains itself). Objects have no fields other than those of their schemas. */
function whole(part: unknown, document: unknown): unknown {
  if (Array.isArray(part)) return part.map((each) => whole(each, document));
  if (typeof part !== "object" || part === null) return part;
  if ("$ref" in part) return whole(meantBy(String(part.$ref), document), document);
  const parts = Object.fromEntries(Object.entries(part).map(([name, each]) => [name, whole(each, document)]));
  return "properties" in parts ? { additionalProperties: false, ...parts } : parts;
}

function meantBy(ref: string, document: unknown): unknown {
  const [, ...names] = ref.split("/");
  let found = document;
  for (const name of names) found = typeof found === "object" && found !== null ? Reflect.get(found, name) : undefined;
  if (found === undefined) throw new Error(`${ref} is not in the document`);
  return found;
}
