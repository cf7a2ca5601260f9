import * as z from "zod";

type Json = { readonly [key: string]: unknown };
type NamedSchemas = Record<string, Json>;

/** Schemas in OpenAPI form. Those with an `id` are defined once, in the document's components, and referenced by it. */
export class Schemas {
  readonly #named: NamedSchemas = {};

  of(schema: z.core.$ZodType, io: "input" | "output"): Json {
    const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
    for (const [name, named] of Object.entries($defs ?? {})) this.#named[name] = moved(named);
    return moved(json);
  }

  /** All named schemas so far. */
  named(): NamedSchemas {
    return Object.fromEntries(Object.entries(this.#named).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** With the addresses that definitions have in an OpenAPI document. */
function moved(schema: object): Json {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object as text is an object
  return JSON.parse(text) as Json;
}
