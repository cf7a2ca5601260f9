import * as z from "zod";
import { PROBLEM_CODES } from "./problem.ts";
import type { Route } from "./route.ts";

type Json = { readonly [key: string]: unknown };

const PROBLEM = { $ref: "#/components/responses/Problem" };

/** OpenAPI 3.1, from the same table that the router reads. */
export function openApi(table: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const row of table) {
    const methods = (paths[row.path] ??= {});
    methods[row.method.toLowerCase()] = operation(row);
  }
  return {
    openapi: "3.1.1",
    info: { title: "GhostInbox", version, description: "Times are ISO 8601 in UTC; errors follow RFC 9457." },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "`ghostinbox token create NAME`" },
        session: { type: "apiKey", in: "cookie", name: "ghostinbox" },
      },
      responses: {
        Problem: {
          description: "What went wrong.",
          content: { "application/problem+json": { schema: jsonSchema(PROBLEM_SHAPE, "output") } },
        },
      },
    },
  };
}

const PROBLEM_SHAPE = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(PROBLEM_CODES).describe("Stable; for scripts."),
  detail: z.string(),
  next: z.string().optional(),
});

function operation(row: Route): Json {
  const { method, path, says, who, schemas, bodyBytes, form } = row;
  const parameters = [...parametersOf(schemas.params, "path"), ...parametersOf(schemas.query, "query")];
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? "")}`,
    summary: says,
    security: { anyone: [], session: [{ session: [] }], session_or_token: [{ session: [] }, { token: [] }] }[who],
    ...(parameters.length > 0 && { parameters }),
    ...(schemas.body && { requestBody: requestBody(schemas.body, bodyBytes, form) }),
    responses: responsesOf(row),
  };
}

function responsesOf({ schemas, type, status = 200, also = {} }: Route): Json {
  const others = Object.entries(also).map(([code, { says, answer }]) => [code, response(says, answer)] as const);
  return {
    [status]: response("Done.", schemas.answer, status === 204 ? undefined : (type ?? "application/json")),
    ...Object.fromEntries<Json>(others),
    default: PROBLEM,
  };
}

function response(description: string, answer?: z.ZodType, type = answer && "application/json"): Json {
  if (type === undefined) return { description };
  return { description, content: { [type]: answer ? { schema: jsonSchema(answer, "output") } : {} } };
}

function requestBody(body: z.ZodType, bytes: number, form = false): Json {
  const schema = jsonSchema(body, "input");
  const content = {
    "application/json": { schema },
    ...(form && { "application/x-www-form-urlencoded": { schema } }),
  };
  return { required: true, description: `At most ${bytes} bytes.`, content };
}

function parametersOf(schema: z.ZodType | undefined, place: "path" | "query"): readonly Json[] {
  if (!(schema instanceof z.ZodObject)) return [];
  const fields: Readonly<Record<string, z.ZodType>> = schema.shape;
  return Object.entries(fields).map(([name, field]) => ({
    name,
    in: place,
    required: place === "path" || !(field instanceof z.ZodOptional),
    schema: jsonSchema(field, "input"),
  }));
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return json;
}
