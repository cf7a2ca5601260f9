import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { CHECKOUT } from "./checkout.ts";
import { patternOf, type Step, sectionsOf, stepsOf } from "./printed-page.ts";
import { PASSWORD } from "./product.ts";
import type { Typist } from "./typist.ts";
import { until } from "./wait.ts";

/** Where a line is typed at a terminal. */
type Terminal = Readonly<{ types: (line: string) => Typist }>;

/** Commands that run until they are stopped. FOLLOWS is stopped once it has shown its output. */
const [STAYS, FOLLOWS] = [/npm start$|^ssh /, /^journalctl .* -f$/];
/** Commands that change nothing and may be repeated until the expected output appears. */
const LOOKS =
  /ghostinbox (?:why|logs|events|status|alerts list|queue list|bans|account quota \S+$)\b|^openssl s_client|^curl -sSk .*MAILINDEX|^docker logs|^journalctl .*[^f]$/;
/** Commands that build or unpack hundreds of megabytes. */
const TAKES_LONG = /^npm run package|^apt |^docker build/;
const [SHORT_MS, LONG_MS] = [60_000, 600_000];

/** A page promises a notice within a minute (watch-relay.ts), and the machine may be busy. */
const MOST_WAIT_MS = 100_000;

/** Each task of a page below docs/, with its steps. */
export function tasksOf(page: string): readonly (readonly [task: string, steps: readonly Step[]])[] {
  const text = readFileSync(join(CHECKOUT, "docs", page), "utf8");
  const steps = stepsOf(text);
  return sectionsOf(text).map(([task]) => [task, steps.filter((step) => step.task === task)]);
}

/** The steps that a page prints under a heading. */
export function stepsUnder(page: string, heading: string): readonly Step[] {
  const [, steps = []] = tasksOf(page).find(([task]) => task === heading) ?? [];
  assert.notEqual(steps.length, 0, `${page}: ${heading}`);
  return steps;
}

/** Types a step of a page as printed, and expects the printed output. Returns all output. */
export async function follow(terminal: Terminal, step: Step): Promise<string> {
  if (!LOOKS.test(step.line)) return typed(terminal, step);
  return until(`the output that the page shows for: ${step.line}`, () => typed(terminal, step), MOST_WAIT_MS);
}

async function typed(terminal: Terminal, step: Step): Promise<string> {
  const typist = terminal.types(step.line);
  const follows = FOLLOWS.test(step.line);
  const stays = follows || STAYS.test(step.line);
  const ended = typist.ends(stays ? 300_000 : TAKES_LONG.test(step.line) ? LONG_MS : SHORT_MS);
  const seen = (): string => stripVTControlCharacters(typist.output);
  let from = 0;
  for (const [question, answer] of step.asks) {
    const asked = new RegExp(`${patternOf([question]).source}\\s*$`);
    await until(`the terminal asks: ${question}`, () => asked.test(seen().slice(from)));
    from = seen().length;
    typist.types(`${answer ?? PASSWORD}\n`);
  }
  if (stays) await until(step.line, () => patternOf(step.sees).test(seen()));
  else assert.equal(await ended, step.code, `${step.line}\n${seen()}`);
  if (follows) {
    typist.types("\x03");
    await ended;
  }
  assert.match(seen(), patternOf(step.sees), `${step.line}\n${seen()}`);
  return seen();
}
