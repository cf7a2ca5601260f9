import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import type { OwnMachine } from "./own-machine.ts";
import { patternOf, type Step } from "./printed-page.ts";
import { PASSWORD } from "./product.ts";
import { until } from "./wait.ts";

/** Goes on until it is stopped. */
const STAYS = /npm start$|^ssh /;
/** Changes nothing, and may see only later what it is to see. */
const LOOKS =
  /ghostinbox (?:why|logs|events|status|alerts list|queue list|bans|account quota \S+$)\b|^openssl s_client|^curl -sSk .*MAILINDEX/;

/** What a page says of a trouble is told within a minute (watch-relay.ts), and the machine may be busy. */
const MOST_WAIT_MS = 100_000;

/** Types a step of a page as it is printed, and expects what the page says is seen. */
export async function follow(machine: OwnMachine, step: Step): Promise<void> {
  if (LOOKS.test(step.line))
    await until(`what the page says of: ${step.line}`, () => typed(machine, step).then(() => true), MOST_WAIT_MS);
  else await typed(machine, step);
}

async function typed(machine: OwnMachine, step: Step): Promise<void> {
  const typist = machine.types(step.line);
  const stays = STAYS.test(step.line);
  const ended = typist.ends(stays ? 300_000 : 60_000);
  const seen = (): string => stripVTControlCharacters(typist.output);
  let from = 0;
  for (const [question, answer] of step.asks) {
    const asked = new RegExp(`${patternOf([question]).source}\\s*$`);
    await until(`the terminal asks: ${question}`, () => asked.test(seen().slice(from)));
    from = seen().length;
    typist.types(`${answer ?? PASSWORD}\n`);
  }
  if (stays) await until(step.line, () => patternOf(step.sees).test(seen()), 60_000);
  else assert.equal(await ended, step.code, `${step.line}\n${seen()}`);
  assert.match(seen(), patternOf(step.sees), `${step.line}\n${seen()}`);
}
