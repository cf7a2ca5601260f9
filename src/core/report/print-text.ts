import { printable } from "../text.ts";
import type { Bar, Block, Report } from "./document.ts";
import { day, number } from "./words.ts";

/** Characters in a line. */
const WIDTH = 80;
/** The longest cell of a table. */
const CELL = 44;
const BAR = 40;
const GAP = "  ";
const INDENT = "  ";

/** A report for a terminal or the text part of a mail: lines of at most 80 characters, but for commands, which stay whole. */
export function reportText(report: Report): string {
  const { title, host, from, to, todo, sections } = report;
  const steps = todo.flatMap(({ what, command }, i) => [
    ...filled(what, `${i + 1}. `, "   "),
    `     ${printable(command, COMMAND)}`,
  ]);
  return [
    ...filled(`${title} of ${host}`, "", ""),
    `${day(from)} to ${day(to)}, UTC`,
    "",
    todo.length === 0 ? "Nothing to do." : "TO DO",
    ...steps,
    ...sections.flatMap((section) => ["", section.title.toUpperCase(), ...section.blocks.flatMap(blockLines)]),
    "",
  ].join("\n");
}

const COMMAND = 400;
/** A text without an end would hide the rest. */
const LONGEST = 1_000;

function blockLines(block: Block): readonly string[] {
  switch (block.type) {
    case "line":
      return filled(block.text, INDENT, INDENT);
    case "table":
      return tableLines([block.head, ...block.rows]);
    case "bars":
      return [`${INDENT}${block.title}:`, ...barLines(block.rows)];
  }
}

/** Words in lines, the first after `first`, the others after `next`; a word that is longer than a line is cut into pieces. */
function filled(text: string, first: string, next: string): readonly string[] {
  const lines: string[] = [];
  let now = first;
  let isEmpty = true;
  for (const word of printable(text, LONGEST)
    .split(" ")
    .flatMap((one) => pieces(one, WIDTH - next.length))) {
    if (!isEmpty && now.length + 1 + word.length > WIDTH) {
      lines.push(now);
      now = next;
      isEmpty = true;
    }
    now += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, now];
}

function pieces(word: string, most: number): readonly string[] {
  return word.length <= most ? [word] : [word.slice(0, most), ...pieces(word.slice(most), most)];
}

/** Columns of equal width; the widest gives way until the row fits. */
function tableLines(rows: readonly (readonly string[])[]): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => printable(cell, CELL)));
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const room = WIDTH - INDENT.length - GAP.length * (widths.length - 1);
  while (widths.reduce((sum, width) => sum + width, 0) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return cells.map((row) =>
    `${INDENT}${row.map((cell, i) => printable(cell, widths[i] ?? 0).padEnd(widths[i] ?? 0)).join(GAP)}`.trimEnd(),
  );
}

function barLines(rows: readonly Bar[]): readonly string[] {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  return rows.map(({ label, value }) => {
    const length = value === 0 ? 0 : Math.max(1, Math.round((BAR * value) / most));
    return `${INDENT}${INDENT}${printable(label, 12).padEnd(12)} ${"#".repeat(length)}${length === 0 ? "" : " "}${number(value)}`;
  });
}
