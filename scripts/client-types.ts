/**
 * Makes clients/typescript/api.ts from `/openapi.json`: a type for each named schema, and `Routes`, which describes each
 * route's parameters and answers. `openapi-typescript` does the same for any document, but needs TypeScript 5 at run time, while
 * this project compiles with 7. This program knows only what our description contains, and throws on anything else.
 */

type Fields = Readonly<Record<string, unknown>>;

export function clientTypes(document: unknown): string {
  const { paths, components } = fieldsOf(document);
  const { schemas, parameters } = fieldsOf(components);
  const named = Object.entries(fieldsOf(schemas)).map(
    ([name, schema]) => `${comment(fieldsOf(schema)["description"])}export type ${name} = ${typeOf(schema)};\n`,
  );
  const shared = fieldsOf(parameters);
  const sharedQueries = Object.entries(shared)
    .filter(([, parameter]) => fieldsOf(parameter)["in"] === "query")
    .map(([name, parameter]) => `export type ${typeNameOf(name)} = {\n${parameterField(fieldsOf(parameter))}};\n`);
  const earlier = new Map<string, string>();
  const routes = Object.entries(fieldsOf(paths)).flatMap(([path, methods]) =>
    Object.entries(fieldsOf(methods))
      .map(([method, operation]) => [`${method.toUpperCase()} ${path}`, fieldsOf(operation)] as const)
      .filter(([, { tags }]) => !listOf(tags).includes("page"))
      .map(([route, operation]) => routeOf(route, operation, { shared, earlier })),
  );
  return [HEADER, ...named, ...sharedQueries, `export type Routes = {\n${routes.join("\n")}};\n`].join("\n");
}

const HEADER = `// Made from the description of the API in /openapi.json by scripts/client-types.ts: change nothing here.
`;

/** A type of this many lines or more is written once, and other routes refer to the first that has it. */
const LONG = 5;
/** `earlier`: long types of earlier routes, with where they are in `Routes`. */
type Known = Readonly<{ shared: Fields; earlier: Map<string, string> }>;

function routeOf(route: string, operation: Fields, { shared, earlier }: Known): string {
  const of = (place: string): readonly Fields[] =>
    listOf(operation["parameters"])
      .map(fieldsOf)
      .filter((parameter) => meantBy(parameter, shared)["in"] === place);
  const { content } = fieldsOf(operation["requestBody"]);
  const body = fieldsOf(fieldsOf(content)["application/json"])["schema"];
  const once = (part: "body" | "answer", type: string): string => {
    if (type.split("\n").length < LONG) return type;
    const line = `${part}: ${type}`;
    const before = earlier.get(line);
    if (before === undefined) earlier.set(line, `Routes[${JSON.stringify(route)}]["${part}"]`);
    return before ?? type;
  };
  const says = [operation["summary"], operation["description"]].filter((text) => typeof text === "string").join(" ");
  return [
    `${comment(says)}${JSON.stringify(route)}: {`,
    ...group("params", of("path")),
    ...group("query", of("query")),
    ...(body === undefined ? [] : [`readonly body: ${once("body", typeOf(body))};`]),
    ...(of("header").some((parameter) => meantBy(parameter, shared)["name"] === "Idempotency-Key") ? [REPEAT_KEY] : []),
    `readonly answer: ${once("answer", answerOf(fieldsOf(operation["responses"])))};`,
    "};\n",
  ].join("\n");
}

const REPEAT_KEY =
  "/** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;";

/** A group is optional if each of its parameters is. Parameters that several routes share have a separate type. */
function group(name: "params" | "query", parameters: readonly Fields[]): readonly string[] {
  if (parameters.length === 0) return [];
  const isNeeded = parameters.some(({ required }) => required === true);
  const fields = parameters.filter(({ $ref }) => $ref === undefined).map(parameterField);
  const own = fields.length === 0 ? [] : [`{\n${fields.join("")}}`];
  const types = [
    ...parameters.flatMap(({ $ref }) => (typeof $ref === "string" ? typeNameOf(nameIn($ref)) : [])),
    ...own,
  ];
  const type = types.length === 1 ? types.join("") : `(${types.join(" & ")})`;
  return [`readonly ${name}${isNeeded ? ":" : "?:"} ${type}${isNeeded ? "" : " | undefined"};`];
}

function parameterField({ name, required, description, schema }: Fields): string {
  return fieldOf({ name: String(name), type: parameterType(schema), isNeeded: required === true, says: description });
}

/** A URL has numbers and booleans as text, but a script passes the value itself. */
function parameterType(schema: unknown): string {
  const { pattern, enum: values } = fieldsOf(schema);
  if (listOf(values).join() === "true,false") return "boolean";
  if (typeof pattern === "string" && pattern.startsWith("^\\d")) return "number | string";
  return typeOf(schema);
}

/** The type of all successful answers. One that only sets a session's cookie, such as a redirect, has no type. */
function answerOf(responses: Fields): string {
  const types = Object.entries(responses).flatMap(([status, response]) => {
    const content = Object.entries(fieldsOf(fieldsOf(response)["content"]));
    if (content.length === 0) return status === "204" ? ["undefined"] : [];
    return content.flatMap(([type, body]) => bodyType(type, fieldsOf(body)["schema"]));
  });
  return [...new Set(types)].join(" | ");
}

function bodyType(type: string, schema: unknown): readonly string[] {
  if (type === "application/problem+json") return [];
  if (type === "text/event-stream") return ["ReadableStream<Uint8Array>"];
  if (type.startsWith("text/")) return ["string"];
  return [schema === undefined ? "unknown" : typeOf(schema)];
}

function typeOf(schema: unknown): string {
  const fields = fieldsOf(schema);
  const { $ref, type, enum: values, anyOf, oneOf } = fields;
  if (typeof $ref === "string") return nameIn($ref);
  if ("const" in fields) return JSON.stringify(fields["const"]);
  if (values !== undefined) return either(listOf(values).map((value) => JSON.stringify(value)));
  const alternatives = [...listOf(anyOf), ...listOf(oneOf)];
  if (alternatives.length > 0) return either(alternatives.map(typeOf));
  if (Array.isArray(type)) return either(listOf(type).map((one) => typeOf({ ...fields, type: one })));
  switch (type) {
    case "string":
    case "number":
    case "boolean":
    case "null":
      return type;
    case "integer":
      return "number";
    case "array":
      return `readonly (${typeOf(fields["items"])})[]`;
    case "object":
      return objectType(fields);
    case undefined:
      if (Object.keys(fields).every((keyword) => keyword === "description")) return "unknown";
  }
  throw new Error(`scripts/client-types.ts does not support this schema: ${JSON.stringify(schema)}`);
}

function objectType({ properties, required, additionalProperties, propertyNames }: Fields): string {
  if (properties === undefined) {
    const name = propertyNames === undefined ? "string" : typeOf(propertyNames);
    return `Readonly<Record<${name}, ${typeOf(additionalProperties)}>>`;
  }
  const needed = listOf(required);
  const fields = Object.entries(fieldsOf(properties)).map(([name, schema]) =>
    fieldOf({ name, type: typeOf(schema), isNeeded: needed.includes(name), says: fieldsOf(schema)["description"] }),
  );
  return `{\n${fields.join("")}}`;
}

type Field = Readonly<{ name: string; type: string; isNeeded: boolean; says: unknown }>;

function fieldOf({ name, type, isNeeded, says }: Field): string {
  const key = /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
  return `${comment(says)}readonly ${key}${isNeeded ? `: ${type}` : `?: ${type} | undefined`};\n`;
}

function either(types: readonly string[]): string {
  return [...new Set(types)].join(" | ");
}

function meantBy(parameter: Fields, shared: Fields): Fields {
  const { $ref } = parameter;
  return typeof $ref === "string" ? fieldsOf(shared[nameIn($ref)]) : parameter;
}

function nameIn(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}

/** `DryRun` for `dry_run`. */
function typeNameOf(parameter: string): string {
  return parameter.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function comment(text: unknown): string {
  return typeof text === "string" && text !== "" ? `/** ${text.replaceAll("*/", "*\\/")} */\n` : "";
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
