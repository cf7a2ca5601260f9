import type { Todo } from "./todo.ts";

/** A report, whatever it is printed as. Every text may hold what a stranger chose: a printer makes it safe for its format. */
export type Report = Readonly<{
  title: string;
  host: string;
  /** ISO 8601 in UTC. */
  from: string;
  to: string;
  /** The most important first. */
  todo: readonly Todo[];
  sections: readonly Section[];
}>;

export type Section = Readonly<{ title: string; blocks: readonly Block[] }>;

export type Block =
  | Readonly<{ type: "line"; text: string }>
  | Readonly<{ type: "table"; head: readonly string[]; rows: readonly (readonly string[])[] }>
  /** A bar for each row, as long as its value. */
  | Readonly<{ type: "bars"; title: string; rows: readonly Bar[] }>;
export type Bar = Readonly<{ label: string; value: number }>;

export function line(text: string): Block {
  return { type: "line", text };
}

/** The rows; without any, a line that says so. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], none: string): Block {
  return rows.length === 0 ? line(none) : { type: "table", head, rows };
}

/** A bar for each day, unless all are empty. */
export function bars(title: string, rows: readonly Bar[]): readonly Block[] {
  return rows.some(({ value }) => value > 0) ? [{ type: "bars", title, rows }] : [];
}
