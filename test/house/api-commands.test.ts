import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { verbs } from "../../src/admin/declare/control.ts";
import { commands } from "../../src/surfaces/cli/commands.ts";
import { namedBy } from "../../src/surfaces/cli/parse.ts";

/** Commands whose verb also declares a route. */
const DECLARED: ReadonlySet<string> = new Set(
  [...verbs.values()].flatMap(({ cliForms: forms, routes }) =>
    routes.length === 0 ? [] : forms.map(({ usage }) => namedBy(usage).name),
  ),
);
/** All other commands that the API can carry out. */
const BY_ROUTE = `
status, stats, events, why, find, ban, bans, cleanup, firewall,
account add, account remove, account list, account passwd, account import, account networks,
account app-password list, account quota, account held, account drop,
queue list, queue flush, queue hold, queue release, queue delete, greylist waiting,
config show, config set, config unset, config apply, config simulate, config check,
audit list, audit export, audit verify, access review, incident list, backup list, retention show,
encryption show, fail2ban status, dns records, dns check, alerts test, alerts list, token create, session end
`
  .trim()
  .split(/,\s+/);

test("whatever the command line can do, the API can do too, or docs/api.md says why not", () => {
  const page = readFileSync("docs/api.md", "utf8");
  const section = /^## What only the command line does\n([^]*?)^## /m.exec(page)?.[1] ?? "";
  const cells = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].map(([, cell = ""]) => cell);
  const named = cells.flatMap((cell) => cell.split(", ").map((name) => name.replaceAll("`", "")));
  const isNamed = (name: string): boolean => named.some((one) => name === one || name.startsWith(`${one} `));
  const names = commands.map(({ name }) => name);
  const wrong = names.filter((name) => (BY_ROUTE.includes(name) || DECLARED.has(name)) === isNamed(name));
  assert.deepEqual(wrong, [], "in neither of the two, or in both");
  const twice = BY_ROUTE.filter((name) => DECLARED.has(name));
  assert.deepEqual(twice, [], "declared with its route");
  const isCommand = (one: string): boolean => names.some((name) => name === one || name.startsWith(`${one} `));
  const gone = [...BY_ROUTE, ...named].filter((one) => !isCommand(one));
  assert.deepEqual(gone, [], "no such command");
});
