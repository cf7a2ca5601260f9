import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { isObject } from "../../src/admin/declare/fields.ts";
import { openApi } from "../../src/surfaces/api/openapi/openapi.ts";
import { startKit, tableOf } from "../kit/api-kit.ts";

/** Request fields that hold a secret. examples/modsecurity.conf hides them from the rules, and so keeps them out of the log. */
const SECRET = ["code", "file", "password"];
/** All other text fields of requests. A new field belongs in one of the two lists. */
const OPEN =
  "account action address authenticatorData changes clientData cursor digest expires for id ids ip name network " +
  "networks note publicKey reason recipient scopes sender signature state subject targets text to until";

test("the rules of the web application firewall see no field of a request that holds a secret", async (t) => {
  const rules = readFileSync("examples/modsecurity.conf", "utf8");
  assert.deepEqual([...(await fieldsOf(t))].toSorted(), [...SECRET, ...OPEN.split(" ")].toSorted());
  for (const field of SECRET)
    for (const argument of [`ARGS:json.${field}`, `ARGS:${field}`])
      assert.ok(rules.includes(`ctl:ruleRemoveTargetByTag=OWASP_CRS;${argument}`), argument);
});

/** The names of all text fields in the bodies of all routes. */
async function fieldsOf(t: TestContext): Promise<ReadonlySet<string>> {
  const described: unknown = JSON.parse(JSON.stringify(openApi(tableOf(await startKit(t)))));
  const found = new Set<string>();
  const visit = (schema: unknown, field: string): void => {
    if (Array.isArray(schema)) for (const one of schema) visit(one, field);
    if (!isObject(schema)) return;
    if (typeof schema["$ref"] === "string") return visit(at(described, schema["$ref"].split("/").slice(1)), field);
    if (schema["type"] === "string") found.add(field);
    for (const key of ["anyOf", "oneOf", "allOf", "items", "additionalProperties"]) visit(schema[key], field);
    const { properties } = schema;
    if (isObject(properties)) for (const [name, one] of Object.entries(properties)) visit(one, name);
  };
  for (const path of Object.values(asObject(at(described, ["paths"]))))
    for (const operation of Object.values(asObject(path)))
      for (const content of Object.values(asObject(at(operation, ["requestBody", "content"]))))
        visit(at(content, ["schema"]), "");
  return found;
}

function at(value: unknown, path: readonly string[]): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  return isObject(value) ? at(value[first], rest) : undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
