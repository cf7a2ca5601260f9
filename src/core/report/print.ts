import { fitted, printable } from "../text.ts";
import { day, number } from "./figures.ts";
import type { Bar, Block, Report } from "./report.ts";

/** Characters in a line. */
const WIDTH = 80;
/** The longest cell of a table. */
const CELL = 44;
const BAR = 40;
const GAP = "  ";
const INDENT = "  ";

/** A report for a terminal or the text part of a mail: lines of at most 80 characters, except for commands and long words, which stay whole. */
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
/** An endless text would hide the rest. */
const LONGEST = 1_000;

function blockLines(block: Block): readonly string[] {
  if (typeof block === "string") return filled(block, INDENT, INDENT);
  if (block.type === "table") return tableLines([block.head, ...block.rows]);
  return [`${INDENT}${block.title}:`, ...barLines(block.rows)];
}

/** Lines that are broken at blanks, the first after `first`, the others after `next`. */
function filled(text: string, first: string, next: string): readonly string[] {
  return fitted(first + printable(text, LONGEST), WIDTH, next).split("\n");
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
  const most = Math.max(...rows.map(({ value }) => value));
  return rows.map(({ label, value }) => {
    const length = value === 0 ? 0 : Math.max(1, Math.round((BAR * value) / most));
    return `${INDENT}${INDENT}${printable(label, 12).padEnd(12)} ${"#".repeat(length)}${length === 0 ? "" : " "}${number(value)}`;
  });
}

const BAR_PIXELS = 300;

const HTML_CELL = "padding:2px 12px 2px 0;text-align:left;vertical-align:top;border-bottom:1px solid #ddd";
const BAR_CELL = "padding:1px 8px 1px 0;font-size:13px;white-space:nowrap";
const HTML_COMMAND = "font-family:monospace;background:#f2f2f2;padding:2px 4px";

/**
 * A report for a mail program: one page without scripts, links, or anything loaded from elsewhere. Bars are coloured cells of tables,
 * because many mail programs show neither SVG nor style sheets.
 */
export function reportHtml({ title, host, from, to, todo, sections }: Report): string {
  const heading = safe(`${title} of ${host}`);
  const steps = todo.map(
    ({ what, command }) =>
      `<li style="margin-bottom:8px">${safe(what)}<br><code style="${HTML_COMMAND}">${safe(command)}</code></li>`,
  );
  const body = sections.flatMap((section) => [
    `<h2 style="font-size:17px;margin:24px 0 6px">${safe(section.title)}</h2>`,
    ...section.blocks.map(blockHtml),
  ]);
  return [
    "<!DOCTYPE html>",
    `<html lang="en"><head><meta charset="utf-8"><title>${heading}</title></head>`,
    '<body style="font-family:sans-serif;font-size:14px;color:#222;background:#fff;max-width:720px;margin:16px">',
    `<h1 style="font-size:21px;margin:0">${heading}</h1>`,
    `<p style="margin:4px 0 16px;color:#555">${day(from)} to ${day(to)}, UTC</p>`,
    todo.length === 0
      ? "<p>Nothing to do.</p>"
      : `<h2 style="font-size:17px">To do</h2>\n<ol>\n${steps.join("\n")}\n</ol>`,
    ...body,
    "</body></html>",
    "",
  ].join("\n");
}

function blockHtml(block: Block): string {
  if (typeof block === "string") return `<p style="margin:4px 0">${safe(block)}</p>`;
  if (block.type === "bars") return `<p style="margin:8px 0 2px">${safe(block.title)}</p>\n${barsHtml(block.rows)}`;
  const row = (cells: readonly string[], tag: "th" | "td"): string =>
    `<tr>${cells.map((cell) => `<${tag} style="${HTML_CELL}">${safe(cell)}</${tag}>`).join("")}</tr>`;
  const rows = [row(block.head, "th"), ...block.rows.map((cells) => row(cells, "td"))];
  return `<table cellspacing="0" style="border-collapse:collapse;margin:6px 0">\n${rows.join("\n")}\n</table>`;
}

function barsHtml(rows: readonly Bar[]): string {
  const most = Math.max(...rows.map(({ value }) => value));
  const lines = rows.map(({ label, value }) => {
    const width = Math.round((BAR_PIXELS * value) / most);
    const bar =
      width === 0
        ? ""
        : `<td width="${width}" height="12" bgcolor="#3b6ea5" style="width:${width}px;height:12px;background:#3b6ea5;font-size:1px">&nbsp;</td>`;
    return (
      `<tr><td style="${BAR_CELL}">${safe(label)}</td><td><table cellspacing="0" cellpadding="0"><tr>${bar}` +
      `<td style="${BAR_CELL};padding-left:6px">${number(value)}</td></tr></table></td></tr>`
    );
  });
  return `<table cellspacing="0" cellpadding="0">\n${lines.join("\n")}\n</table>`;
}

/** Shows invisible characters as escapes, and lets nothing be markup. */
function safe(text: string): string {
  return printable(text, LONGEST).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
