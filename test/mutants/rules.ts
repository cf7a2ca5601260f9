import { type Expression, parseSync, Visitor } from "oxc-parser";

/** One small change of a source text: `text` replaces the part from `start` to `end`. */
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

type Span = Pick<Mutation, "start" | "end">;

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

/** Calls that shorten text for a reader, where the exact length does not matter. */
const CUTS_TEXT = new Set(["printable"]);

/** Above this, a number is a bound whose last digit does not matter. A test must notice half and twice the number. */
const LARGE = 100;

/** Every mutation of a TypeScript text, in the order of the text. Types, comments and strings are never mutated. */
export function mutationsOf(source: string): readonly Mutation[] {
  const { program, errors } = parseSync("source.ts", source);
  const [error] = errors;
  if (error !== undefined) throw new Error(error.message);
  const found: Mutation[] = [];
  const left = new Set<number>();
  const textOf = ({ start, end }: Span): string => source.slice(start, end);
  const add = ({ start, end }: Span, text: string, rule: Rule): void => {
    if (textOf({ start, end }) !== text) found.push({ start, end, text, rule });
  };
  const swap = (start: number, end: number, operator: string): void => {
    const [rule, other] = OPERATORS[operator] ?? [];
    const at = source.indexOf(operator, start);
    if (rule === undefined || other === undefined || at < 0 || at >= end) return;
    add({ start: at, end: at + operator.length }, other, rule);
  };
  const swapBetween = (node: Readonly<{ left: Span; right: Span; operator: string }>): void =>
    swap(node.left.end, node.right.start, node.operator);
  /**
   * Excludes a literal from mutation. Parents are visited before children. Besides types, these are fallbacks for values that are
   * never missing, which the compiler cannot see: `const [first = 0] = …`, `times[i] ?? 0`.
   */
  const leave = ({ start }: Span): void => void left.add(start);
  /** Also removes early returns, whose condition then never holds. */
  const condition = ({ test }: Readonly<{ test: Span }>): void => {
    for (const always of ["true", "false"]) add(test, always, "condition");
  };
  new Visitor({
    TSLiteralType: ({ literal }) => leave(literal.type === "UnaryExpression" ? literal.argument : literal),
    ArrayPattern: ({ elements }) =>
      elements.forEach((element) => element?.type === "AssignmentPattern" && leave(element.right)),
    BinaryExpression: swapBetween,
    LogicalExpression: (node) => {
      if (node.operator !== "??") swapBetween(node);
      else {
        leave(node.right);
        for (const part of [node.left, node.right]) add(node, textOf(part), "fallback");
      }
    },
    AssignmentExpression: swapBetween,
    UpdateExpression: ({ operator, prefix, argument, start, end }) =>
      prefix ? swap(start, argument.start, operator) : swap(argument.end, end, operator),
    UnaryExpression: (node) => {
      if (node.operator === "!") add(node, textOf(node.argument), "negation");
    },
    Literal: (node) => {
      const { value, raw, start } = node;
      if (left.has(start)) return;
      if (typeof value === "boolean") add(node, String(!value), "boolean");
      // `1_000n` has no plain neighbour; its value is not a number.
      if (typeof value !== "number" || raw === null) return;
      for (const other of value > LARGE ? [value * 2, Math.round(value / 2)] : [value + 1, value - 1])
        add(node, other < 0 ? `(${other})` : String(other), "number");
    },
    IfStatement: condition,
    ConditionalExpression: condition,
    SpreadElement: ({ start, end }) => {
      const comma = /^\s*,/.exec(source.slice(end))?.[0] ?? "";
      add({ start, end: end + comma.length }, "", "spread");
    },
    ExpressionStatement: (node) => {
      if (isEffect(node.expression)) add(node, ";", "statement");
    },
    CallExpression: ({ callee, arguments: given }) => {
      if (callee.type === "Identifier" && CUTS_TEXT.has(callee.name)) given.forEach(leave);
      if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
      const other = { min: "max", max: "min" }[callee.property.name];
      if (other !== undefined && textOf(callee.object) === "Math") add(callee.property, other, "min_max");
    },
  }).visit(program);
  return found.toSorted((a, b) => a.start - b.start || a.end - b.end);
}

/** Whether a statement has an effect: not `"use strict"`, and not the call of `super`. */
function isEffect(expression: Expression): boolean {
  if (expression.type === "CallExpression") return expression.callee.type !== "Super";
  return ["AwaitExpression", "AssignmentExpression", "UpdateExpression", "UnaryExpression", "ChainExpression"].includes(
    expression.type,
  );
}
