import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { COMMANDS } from "../../test/kit/commands.ts";
import { type Verb, verbs } from "./declare/control.ts";
import { rightsOf } from "./declare/rights.ts";
import type { Rights } from "./declare/verb.ts";

test("each form names fields of its verb, and each verb with a route may be used by the web", () => {
  for (const { verb, fields, routes, cliForms, rights } of verbs.values()) {
    const known = new Set(Object.keys(fields));
    const expectKnown = (names: readonly string[], where: string): void => {
      for (const name of names) assert.ok(known.has(name), `${verb}: ${where}: ${name}`);
    };
    for (const { route, given = {}, named = {}, own } of routes) {
      expectKnown([...Object.keys(given), ...Object.keys(named)], route);
      const nameOf = new Map<string, string>(Object.entries(named));
      const names = Object.keys(fields).map((field) => nameOf.get(field) ?? field);
      for (const [, name = ""] of route.matchAll(/\{(\w+)\}/g)) assert.ok(names.includes(name), `${route}: ${name}`);
      const who: Rights = rights;
      assert.ok(rightsOf(verb).from.includes("web"), route);
      if (own === true) assert.ok(who.user !== undefined && known.has(who.user), route);
    }
    for (const form of cliForms) expectKnown([...(form.words ?? []), ...Object.keys(form.options ?? {})], form.usage);
  }
});

test("no route and no command is declared twice", () => {
  const all = [...verbs.values()].flatMap(({ routes, cliForms }) => [
    ...routes.map(({ route }) => route.replaceAll(/\{\w+\}/g, "{}")),
    ...cliForms.map(({ usage }) => usage.replace(/ [A-Z[].*$/, "")),
  ]);
  const again = all.filter((one, place) => all.indexOf(one) !== place);
  assert.deepEqual(again, []);
});

test("the answer of each route can be described", () => {
  for (const { verb, routes, gives } of verbs.values())
    assert.ok(typeof gives.answer === "string" ? routes.length === 0 : gives.answer() !== undefined, verb);
});

test("the guard parses a command that the web has parsed without changing it", () => {
  const asTyped = (key: string, value: unknown): unknown => {
    if (typeof value !== "string") return value;
    if (key === "subject" || key === "text") return ` ${value} `;
    return value.includes("@") ? value.toUpperCase() : value.replace(/\.0\/24$/, ".9/24");
  };
  const changed = [...verbs.values()].filter((entry) => {
    const typed: unknown = JSON.parse(JSON.stringify(COMMANDS[entry.verb satisfies Verb]), asTyped);
    const read = entry.schema().parse(typed);
    assert.deepEqual(entry.schema().parse(read), read);
    return !isDeepStrictEqual(read, typed);
  });
  assert.ok(changed.length > 20, `${changed.length}`);
});
