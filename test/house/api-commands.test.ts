import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { verbs } from "../../src/admin/declare/control.ts";
import { commands } from "../../src/surfaces/cli/commands.ts";
import { namedBy } from "../../src/surfaces/cli/parse.ts";

/** Commands whose verb declares a route too. */
const DECLARED: ReadonlySet<string> = new Set(
  [...verbs.values()].flatMap(({ cliForms: forms, routes }) =>
    routes.length === 0 ? [] : forms.map(({ usage }) => namedBy(usage).name),
  ),
);
/** By which route the API does what every other command does. */
const BY_ROUTE: Readonly<Record<string, string>> = {
  status: "GET /api/v1/status",
  stats: "GET /api/v1/stats",
  events: "GET /api/v1/events",
  why: "GET /api/v1/why/{ip}",
  find: "GET /api/v1/events",
  ban: "POST /api/v1/bans",
  bans: "GET /api/v1/bans",
  cleanup: "GET /api/security",
  "account add": "POST /api/v1/accounts",
  "account remove": "DELETE /api/v1/accounts/{name}",
  "account list": "GET /api/v1/accounts",
  "account passwd": "POST /api/v1/accounts/{name}/password",
  "account import": "POST /api/v1/accounts/import",
  "account networks": "POST /api/v1/accounts/{name}/networks",
  "account app-password list": "GET /api/v1/accounts/{name}/app-passwords",
  "account quota": "PUT /api/v1/accounts/{name}/quota",
  "account held": "GET /api/v1/held",
  "account drop": "POST /api/v1/held/{account}/drop",
  "greylist waiting": "GET /api/v1/greylist/waiting",
  "queue list": "GET /api/v1/queue",
  "queue flush": "POST /api/v1/queue/flush",
  "queue hold": "POST /api/v1/queue/hold",
  "queue release": "POST /api/v1/queue/release",
  "queue delete": "POST /api/v1/queue/delete",
  "dns records": "GET /api/v1/dns",
  "dns check": "GET /api/v1/dns",
  "access review": "GET /api/v1/access",
  "audit list": "GET /api/v1/audit",
  "audit export": "GET /api/v1/audit",
  "audit verify": "GET /api/v1/audit/verify",
  firewall: "GET /api/v1/firewall",
  "encryption show": "GET /api/v1/encryption",
  "fail2ban status": "GET /api/v1/fail2ban",
  "retention show": "GET /api/v1/retention",
  "incident list": "GET /api/v1/incidents",
  "backup list": "GET /api/v1/upkeep",
  "config show": "GET /api/v1/settings",
  "config set": "POST /api/v1/settings",
  "config unset": "POST /api/v1/settings",
  "config apply": "POST /api/v1/settings",
  "config simulate": "POST /api/v1/settings/preview",
  "config check": "POST /api/v1/settings/preview",
  "alerts test": "POST /api/v1/alerts/test",
  "alerts list": "GET /api/v1/alerts",
  "token create": "POST /api/v1/tokens",
  "session end": "DELETE /api/v1/sessions/{id}",
};

test("what the command line does, the API does too, or docs/api.md says why not", () => {
  const page = readFileSync("docs/api.md", "utf8");
  const section = /^## What only the command line does\n([^]*?)^## /m.exec(page)?.[1] ?? "";
  const cells = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].map(([, cell = ""]) => cell);
  const named = cells.flatMap((cell) => cell.split(", ").map((name) => name.replaceAll("`", "")));
  const isNamed = (name: string): boolean => named.some((one) => name === one || name.startsWith(`${one} `));
  const names = commands.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => (name in BY_ROUTE || DECLARED.has(name)) === isNamed(name)),
    [],
    "in neither of the two, or in both",
  );
  assert.deepEqual(
    Object.keys(BY_ROUTE).filter((name) => DECLARED.has(name)),
    [],
    "declared with its route",
  );
  assert.deepEqual(
    [...Object.keys(BY_ROUTE), ...named].filter(
      (one) => !names.some((name) => name === one || name.startsWith(`${one} `)),
    ),
    [],
    "no such command",
  );
});

test("every route that a command is likened to is there", () => {
  const described = readFileSync("clients/typescript/api.ts", "utf8");
  const missing = Object.values(BY_ROUTE).filter((route) => !described.includes(`  "${route}": {`));
  assert.deepEqual(missing, []);
});
