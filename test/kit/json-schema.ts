/** A schema as `/openapi.json` writes it (JSON Schema 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Each checks one keyword; what it finds wrong, a sentence each with the place. */
type Check = (wanted: unknown, value: unknown, at: string, schema: JsonSchema) => readonly string[];

/**
 * What is wrong with a value, by its schema; nothing where it fits. Strict: a keyword that is not known here is a fault,
 * and so is an object whose schema does not say what other fields it may have.
 */
export function faultsOf(schema: unknown, value: unknown, at = "$"): readonly string[] {
  if (!isObject(schema)) return [`${at}: no schema: ${JSON.stringify(schema)}`];
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    if (SAYS_NOTHING.includes(keyword)) return [];
    const check = CHECKS[keyword];
    return check === undefined ? [`${at}: unknown keyword ${keyword}`] : check(wanted, value, at, schema);
  });
}

/** `format` is repeated by `pattern`. */
const SAYS_NOTHING = ["description", "examples", "format"];

const CHECKS: Readonly<Record<string, Check>> = {
  type: (wanted, value, at, schema) => {
    if (![wanted].flat().some((type) => hasType(type, value)))
      return [`${at}: ${show(value)} is not of type ${String(wanted)}`];
    const isOpen = [wanted].flat().includes("object") && schema["additionalProperties"] === undefined;
    return isOpen ? [`${at}: the schema does not say what other fields there may be`] : [];
  },
  const: (wanted, value, at) => (value === wanted ? [] : [`${at}: ${show(value)} is not ${show(wanted)}`]),
  enum: (wanted, value, at) =>
    list(wanted).includes(value) ? [] : [`${at}: ${show(value)} is none of ${show(wanted)}`],
  anyOf: (wanted, value, at) => alternatives(wanted, value, at, (fitting) => fitting >= 1),
  oneOf: (wanted, value, at) => alternatives(wanted, value, at, (fitting) => fitting === 1),
  properties: (wanted, value, at) =>
    isObject(value) && isObject(wanted)
      ? Object.entries(value).flatMap(([name, field]) =>
          Object.hasOwn(wanted, name) ? faultsOf(wanted[name], field, `${at}.${name}`) : [],
        )
      : [],
  required: (wanted, value, at) =>
    isObject(value)
      ? list(wanted).flatMap((name) =>
          Object.hasOwn(value, String(name)) ? [] : [`${at}: ${String(name)} is missing`],
        )
      : [],
  additionalProperties: (wanted, value, at, { properties }) =>
    isObject(value)
      ? Object.entries(value).flatMap(([name, field]) => {
          if (isObject(properties) && Object.hasOwn(properties, name)) return [];
          return wanted === false ? [`${at}: ${name} is not described`] : faultsOf(wanted, field, `${at}.${name}`);
        })
      : [],
  propertyNames: (wanted, value, at) =>
    isObject(value) ? Object.keys(value).flatMap((name) => faultsOf(wanted, name, `${at}: name ${name}`)) : [],
  items: (wanted, value, at) =>
    Array.isArray(value) ? value.flatMap((item, index) => faultsOf(wanted, item, `${at}[${index}]`)) : [],
  minimum: (least, value, at) => number(value, (it) => it >= Number(least), `${at}: ${show(value)} is too small`),
  maximum: (most, value, at) => number(value, (it) => it <= Number(most), `${at}: ${show(value)} is too great`),
  minLength: (least, value, at) => string(value, (it) => it.length >= Number(least), `${at}: too short`),
  maxLength: (most, value, at) => string(value, (it) => it.length <= Number(most), `${at}: too long`),
  pattern: (wanted, value, at) =>
    string(value, (it) => new RegExp(String(wanted), "u").test(it), `${at}: ${show(value)} is not ${String(wanted)}`),
};

/** A keyword about numbers says nothing of what is none; `type` does. */
function number(value: unknown, fits: (value: number) => boolean, fault: string): readonly string[] {
  return typeof value !== "number" || fits(value) ? [] : [fault];
}

function string(value: unknown, fits: (value: string) => boolean, fault: string): readonly string[] {
  return typeof value !== "string" || fits(value) ? [] : [fault];
}

function hasType(type: unknown, value: unknown): boolean {
  switch (type) {
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    default:
      return false;
  }
}

/** Tells of the alternative that fits best, for the others only add noise. */
function alternatives(
  wanted: unknown,
  value: unknown,
  at: string,
  isEnough: (fitting: number) => boolean,
): readonly string[] {
  const faults = list(wanted).map((schema) => faultsOf(schema, value, at));
  if (isEnough(faults.filter((found) => found.length === 0).length)) return [];
  const [best = []] = faults.toSorted((a, b) => a.length - b.length);
  return best.length === 0 ? [`${at}: fits several alternatives`] : best;
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 200);
}
