import {
  type AssignmentExpression,
  type BinaryExpression,
  type CallExpression,
  type ConditionalExpression,
  type Expression,
  type ExpressionStatement,
  type IfStatement,
  type LogicalExpression,
  parseSync,
  type SpreadElement,
  type UnaryExpression,
  type UpdateExpression,
  Visitor,
} from "oxc-parser";

/** One small change of a source text: what stands from `start` to `end` becomes `text`. */
export type Mutation = Readonly<{ start: number; end: number; text: string; rule: Rule }>;

export type Rule =
  | "boundary"
  | "equality"
  | "and_or"
  | "negation"
  | "arithmetic"
  | "number"
  | "boolean"
  | "condition"
  | "spread"
  | "statement"
  | "min_max"
  | "fallback";

type Span = Readonly<{ start: number; end: number }>;

const OPERATORS: Readonly<Record<string, readonly [Rule, string]>> = {
  "<": ["boundary", "<="],
  "<=": ["boundary", "<"],
  ">": ["boundary", ">="],
  ">=": ["boundary", ">"],
  "===": ["equality", "!=="],
  "!==": ["equality", "==="],
  "&&": ["and_or", "||"],
  "||": ["and_or", "&&"],
  "+": ["arithmetic", "-"],
  "-": ["arithmetic", "+"],
  "*": ["arithmetic", "/"],
  "/": ["arithmetic", "*"],
  "%": ["arithmetic", "*"],
  "+=": ["arithmetic", "-="],
  "-=": ["arithmetic", "+="],
  "++": ["arithmetic", "--"],
  "--": ["arithmetic", "++"],
};

/** Where text is cut for a reader it does not matter by how much. */
const CUTS_TEXT = new Set(["printable"]);

/** Above this a number is a bound whose last digit does not matter: half and twice of it must be noticed. */
const LARGE = 100;

/** Every mutation of a TypeScript text, in the order of the text. Types, comments and strings are never mutated. */
export function mutationsOf(source: string): readonly Mutation[] {
  const { program, errors } = parseSync("source.ts", source);
  const [error] = errors;
  if (error !== undefined) throw new Error(error.message);
  const places = new Places(source);
  new Visitor({
    TSLiteralType: ({ literal }) => places.leave(literal.type === "UnaryExpression" ? literal.argument : literal),
    ArrayPattern: ({ elements }) =>
      elements.forEach((element) => element?.type === "AssignmentPattern" && places.leave(element.right)),
    BinaryExpression: (node) => places.operator(node),
    LogicalExpression: (node) => (node.operator === "??" ? places.fallback(node) : places.operator(node)),
    AssignmentExpression: (node) => places.assignment(node),
    UpdateExpression: (node) => places.update(node),
    UnaryExpression: (node) => places.negation(node),
    Literal: (node) => places.literal(node),
    IfStatement: (node) => places.condition(node),
    ConditionalExpression: (node) => places.condition(node),
    SpreadElement: (node) => places.spread(node),
    ExpressionStatement: (node) => places.statement(node),
    CallExpression: (node) => {
      if (node.callee.type === "Identifier" && CUTS_TEXT.has(node.callee.name)) node.arguments.forEach(places.leave);
      places.minMax(node);
    },
  }).visit(program);
  return places.found.toSorted((a, b) => a.start - b.start || a.end - b.end);
}

class Places {
  readonly found: Mutation[] = [];
  readonly #source: string;
  readonly #left = new Set<number>();

  constructor(source: string) {
    this.#source = source;
  }

  /**
   * A literal at which nothing is changed. Parents are visited before children. In addition to types these are fallbacks for
   * what the compiler cannot see is never missing: `const [first = 0] = …`, `times[i] ?? 0`.
   */
  readonly leave = ({ start }: Span): void => {
    this.#left.add(start);
  };

  operator({ left, right, operator }: BinaryExpression | LogicalExpression): void {
    this.#swap({ start: left.end, end: right.start }, operator);
  }

  assignment({ left, right, operator }: AssignmentExpression): void {
    this.#swap({ start: left.end, end: right.start }, operator);
  }

  update({ operator, prefix, argument, start, end }: UpdateExpression): void {
    this.#swap(prefix ? { start, end: argument.start } : { start: argument.end, end }, operator);
  }

  negation({ operator, argument, start, end }: UnaryExpression): void {
    if (operator === "!") this.#add({ start, end }, this.#text(argument), "negation");
  }

  literal({ value, raw, start, end }: Span & Readonly<{ value: unknown; raw: string | null }>): void {
    if (this.#left.has(start)) return;
    if (typeof value === "boolean") this.#add({ start, end }, String(!value), "boolean");
    // `1_000n` has no plain neighbour; its value is not a number.
    if (typeof value !== "number" || raw === null) return;
    for (const other of value > LARGE ? [value * 2, Math.round(value / 2)] : [value + 1, value - 1])
      this.#add({ start, end }, other < 0 ? `(${other})` : String(other), "number");
  }

  /** An early return is gone when its condition never holds. */
  condition({ test }: IfStatement | ConditionalExpression): void {
    this.#add(test, "true", "condition");
    this.#add(test, "false", "condition");
  }

  spread({ start, end }: SpreadElement): void {
    const comma = /^\s*,/.exec(this.#source.slice(end))?.[0] ?? "";
    this.#add({ start, end: end + comma.length }, "", "spread");
  }

  statement({ start, end, expression }: ExpressionStatement): void {
    if (isEffect(expression)) this.#add({ start, end }, ";", "statement");
  }

  minMax({ callee }: CallExpression): void {
    if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
    const { name, start, end } = callee.property;
    const other = { min: "max", max: "min" }[name];
    if (other !== undefined && this.#text(callee.object) === "Math") this.#add({ start, end }, other, "min_max");
  }

  fallback({ left, right, start, end }: LogicalExpression): void {
    this.leave(right);
    this.#add({ start, end }, this.#text(left), "fallback");
    this.#add({ start, end }, this.#text(right), "fallback");
  }

  #swap(between: Span, operator: string): void {
    const [rule, other] = OPERATORS[operator] ?? [];
    const at = this.#source.indexOf(operator, between.start);
    if (rule === undefined || other === undefined || at < 0 || at >= between.end) return;
    this.#add({ start: at, end: at + operator.length }, other, rule);
  }

  #add({ start, end }: Span, text: string, rule: Rule): void {
    if (this.#source.slice(start, end) !== text) this.found.push({ start, end, text, rule });
  }

  #text({ start, end }: Span): string {
    return this.#source.slice(start, end);
  }
}

/** Not `"use strict"`, nor the call that makes the parent of an object. */
function isEffect(expression: Expression): boolean {
  if (expression.type === "CallExpression") return expression.callee.type !== "Super";
  return ["AwaitExpression", "AssignmentExpression", "UpdateExpression", "UnaryExpression", "ChainExpression"].includes(
    expression.type,
  );
}
