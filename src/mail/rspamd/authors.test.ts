import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { inRspamdLua } from "../../../test/kit/rspamd-lua.ts";
import { AUTHORS_LUA } from "./authors.ts";

/** Field values and the addresses that they name. */
type Case = readonly [value: string, ...addresses: readonly string[]];

const HONEST: readonly Case[] = [
  ["anna@example.org", "anna@example.org"],
  ["<anna@example.org>", "anna@example.org"],
  ["< anna@example.org >", "anna@example.org"],
  ["Anna <Anna@Example.ORG>", "Anna@Example.ORG"],
  ["Anna B. Smith <anna@example.org>", "anna@example.org"],
  ['"Smith, Anna" <anna@example.org>', "anna@example.org"],
  ['"Anna \\"the boss\\" Smith" <anna@example.org>', "anna@example.org"],
  ['"anna@bank.test" <anna@example.org>', "anna@example.org"],
  ["anna@example.org <anna@example.org>", "anna@example.org"],
  ["ANNA@example.org <anna@example.org>", "anna@example.org"],
  ["root@host.example.org (Cron Daemon)", "root@host.example.org"],
  ["anna@example.org (Anna (the boss))", "anna@example.org"],
  ["(ceo@bank.test) <anna@example.org>", "anna@example.org"],
  ["Anna <anna@example.org> (at work)", "anna@example.org"],
  ["=?UTF-8?Q?M=C3=BCller?= <m@example.org>", "m@example.org"],
  ["=?UTF-8?Q?M=C3=BCller,_Hans?= <m@example.org>", "m@example.org"],
  ["=?UTF-8?B?TcO8bGxlcg==?=\r\n =?UTF-8?B?SGFucw==?= <m@example.org>", "m@example.org"],
  ["Müller <m@example.org>", "m@example.org"],
  ["[Tickets] Anna O'Hara <anna@example.org>", "anna@example.org"],
  ["Anna\r\n\t<anna@example.org>", "anna@example.org"],
  ["anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"],
  ["root@localhost", "root@localhost"],
  ["a..b.@docomo.example", "a..b.@docomo.example"],
  ['"anna"@example.org', "anna@example.org"],
  ['"anna smith"@example.org', "anna smith@example.org"],
  ["anna+shop=x/y@example.org", "anna+shop=x/y@example.org"],
  ["prvs=12ab=anna@example.org", "prvs=12ab=anna@example.org"],
  ["Jobs @ Example <anna@example.org>", "anna@example.org"],
  ["anna@work <anna@example.org>", "anna@example.org"],
  ["=?utf-8?Q?Caf=C3=A9_@_Home?= <anna@example.org>", "anna@example.org"],
  ["'anna@example.org' <anna@example.org>", "anna@example.org"],
  ["Anna Anna@example.org <anna@example.org>", "anna@example.org"],
  ["Smith, Anna <anna@example.org>", "anna@example.org"],
  ["Smith, Anna, =?utf-8?Q?M=C3=BCller?= <anna@example.org>", "anna@example.org"],
  ["Re: Anna <anna@example.org>", "anna@example.org"],
  ["Friends: <anna@example.org>", "anna@example.org"],
  ["anna@example.org;", "anna@example.org"],
  ["anna@example.org, Bert <bert@example.net>", "anna@example.org", "bert@example.net"],
];

/** Field values in which two authors could be read, or none, by the reason. */
const UNCLEAR = {
  "no address": ["", " ", "<>", "Anna", "Smith, Anna", "Mail Delivery System <>", "MAILER-DAEMON (System)"],
  "no domain": ["anna@", "Mail Delivery System <MAILER-DAEMON>"],
  "no local part": ["@example.org"],
  "two @": ["anna@@example.org", "anna@bank.test@example.org"],
  "two addresses": ["<anna@example.org> <bert@example.org>", "anna@example.org <bert@example.org>"],
  "two after signs": ["Smith, Anna <anna@example.org> <boss@bank.test>", "anna@example.org; bert@example.org;"],
  "two, and a bare CR": ["anna@example.org\r <bert@example.org>"],
  "more after an address": ["<anna@example.org> b", "Smith, Anna <anna@example.org> b", "anna@example.org,"],
  "no brackets": ["Anna anna@example.org", "Friends: anna@example.org;", "undisclosed:;"],
  "another address as the name": [
    "Anna anna@bank.test <anna@example.org>",
    "anna@bank.test Anna <anna@example.org>",
    "'boss@bank.test' <anna@example.org>",
    "=?UTF-8?Q?boss@bank.test?= <anna@example.org>",
    "=?UTF-8?Q?_boss@bank.test_?= <anna@example.org>",
  ],
  "one with signs": ["Smith, boss@bank.test <anna@example.org>", "Smith, boss@bank.test, Anna: b <anna@example.org>"],
  "one before signs": ["boss@bank.test: Anna <anna@example.org>", "boss@bank.test; Anna <anna@example.org>"],
  "one with a dot": ["boss@bank.test., Anna <anna@example.org>"],
  "one with blanks": ["boss @ bank.test <anna@example.org>", "boss@bank . test <anna@example.org>"],
  "one with comments": ["boss(x)@bank.test <anna@example.org>", "boss@(x)bank.test <anna@example.org>"],
  "one with quotes": ['"boss" @bank.test <anna@example.org>', '"boss@bank.test", Anna: b <anna@example.org>'],
  "an encoded one with signs": ["=?utf-8?Q?boss=40bank.test?=, Anna, b: <anna@example.org>"],
  "a route": ["<@relay.test:anna@example.org>"],
  "a dot": ["<anna@example.org.>", "anna@example.org.", "anna@.example.org"],
  "an address literal": ["<anna@[192.0.2.1]>", "anna@[192.0.2.1]", "anna@[IPv6:2001:db8::1]"],
  "a blank within": ["anna@exa mple.org", "anna @example.org"],
  "a comment within": ["<anna(x)@example.org>", "anna(x)@example.org", "anna@(x)example.org"],
  "an address in a comment": ["anna@example.org(<bert@bank.test>)"],
  "an open quote, comment": ['"Anna <anna@example.org>', "Anna (x <anna@example.org>", 'Anna \\" <anna@example.org>'],
  "a quoted comma": ['"a@bank.test,"@example.org'],
  "an encoded address": ["=?UTF-8?Q?anna=40example.org?="],
  "an encoded local part": ["=?UTF-8?Q?anna?=@example.org", "<=?UTF-8?Q?anna?=@example.org>"],
  "no plain characters": ["änna@example.org", "anna@exämple.org", "anna@example.org\u0001"],
};

/** The CPU time of rspamadm so far, in seconds, as Lua reports it. Independent of other load. */
const PROCESSOR_S = "os.clock()";

describe("author fields", installed("rspamadm"), () => {
  /** Evaluates expressions; one line of output for each. */
  function lua(expressions: readonly string[]): readonly string[] {
    const show = [
      "local function show(list)",
      "  if not list then return 'nil' end",
      "  local names = {}",
      "  for _, one in ipairs(list) do",
      "    assert(one.address:sub(-#one.domain - 1) == '@' .. one.domain)",
      "    names[#names + 1] = one.address",
      "  end",
      "  return table.concat(names, ' ')",
      "end",
    ];
    const prints = expressions.map((expression) => `print((${expression}))`);
    return inRspamdLua([AUTHORS_LUA, ...show, ...prints, ""].join("\n"));
  }

  const literal = (text: string): string =>
    `"${[...Buffer.from(text)].map((byte) => `\\${String(byte).padStart(3, "0")}`).join("")}"`;

  test("honest fields name their author; one in which two could be read names none", () => {
    const unclear = Object.values(UNCLEAR).flat();
    const values = [...HONEST.map(([value]) => value), ...unclear];
    const printed = lua(values.map((value) => `show(mailboxes(${literal(value)}))`));
    const honest = HONEST.map(([, ...addresses]) => addresses.map((one) => one.toLowerCase()).join(" "));
    const expected = [...honest, ...unclear.map(() => "nil")];
    for (const [at, value] of values.entries()) assert.equal(printed[at], expected[at], value);
  });

  test("a field without any address has no author", () => {
    const nobody = ["", "<>", " Mail Delivery System <MAILER-DAEMON>", "MAILER-DAEMON (System)"];
    const someone = ["@", "a@b.test", "=?utf-8?q?a=40b.test?="];
    const printed = lua([...nobody, ...someone].map((value) => `tostring(names_nobody(${literal(value)}))`));
    assert.deepEqual(printed, [...nobody.map(() => "true"), ...someone.map(() => "false")]);
  });

  test("fields are found however their names are written, with their continued lines", () => {
    const header = "From : a\r\nfROM\t: b\r\n c\r\nX-From: d\r\nSender:\r\n\te\r\nfrom e f\r\n";
    const list = (name: string): string => `table.concat(fields(${literal(header)}, {"from", "sender"}).${name}, "|")`;
    const [from, , sender] = lua([`(${list("from")}):gsub("\\n", "/")`, "''", `(${list("sender")}):gsub("\\n", "/")`]);
    assert.equal(from, " a| b/ c");
    assert.equal(sender, "/\te");
  });

  test("long or deep fields are read in time proportional to their length", () => {
    const [many, deep, ...first] = lua([
      `#mailboxes(("a@example.org, "):rep(5000) .. "a@example.org")`,
      `tostring(mailboxes(("("):rep(50000) .. "a@example.org"))`,
      PROCESSOR_S,
    ]);
    assert.deepEqual([many, deep], ["5001", "nil"]);
    const names = [`(" "):rep(16000)`, `"b@c.d" .. ("'"):rep(16000) .. "e"`, `("@"):rep(16000)`, `("b@c "):rep(4000)`];
    const more = [`("() "):rep(5000)`, `("=?"):rep(8000)`, `("; "):rep(8000)`, `("a@b.c "):rep(2500)`];
    const encoded = [`"=?utf-8?Q?" .. ("_"):rep(16000) .. "?="`, `("=?u?Q??="):rep(8000)`];
    const tried = [...names, ...more, ...encoded].map((name) => `show(mailboxes(${name} .. " <a@example.org>"))`);
    const printed = lua([...tried, PROCESSOR_S]);
    const named = "a@example.org";
    assert.deepEqual(printed.slice(0, -1), [named, "nil", named, named, named, named, named, "nil", named, named]);
    for (const costS of [...first, printed.at(-1)]) assert.ok(Number(costS) < 1, `${costS} s`);
  });

  test("a field of very many lines is read in that time too, and names no author", () => {
    const bomb = String.raw`fields(("From:" .. ("\r\n "):rep(50900) .. "\r\n"):rep(64), {"from"}).from`;
    const long = String.raw`fields("From: " .. ("a"):rep(16384) .. "@example.org\r\nSender: b\r\n", {"from", "sender"})`;
    const tried = [`#${bomb}`, `#${bomb}[1]`, `#${long}.from[1]`, `${long}.sender[1]`];
    const [count, first, empty, next, costS] = lua([...tried, PROCESSOR_S]);
    assert.deepEqual([count, first, empty, next], ["64", "1", "1", " b"]);
    assert.ok(Number(costS) < 4, `${costS} s`);
  });
});
