// Invariant: Root writes by descriptor, in directories that belong to root (src/host/root-files).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { reachedFrom } from "../kit/reached-from.ts";

/** The programs that root runs: the command line is mostly root's, too. Guard and web have separate users. */
const ROOT_RUNS = [
  "src/programs/set-up/start.ts",
  "src/programs/keeper/main.ts",
  "src/programs/keeper/databases-main.ts",
  "src/programs/command-line/main.ts",
  "src/programs/check/main.ts",
  "src/programs/backup/main.ts",
  "src/programs/report/main.ts",
];
const MODULE = "src/host/root-files/";
/** Functions that only read. All others in node:fs write, or may do so in a later version. */
const READERS: readonly string[] = `
accessSync, closeSync, constants, createReadStream, existsSync, fstatSync, globSync, lstatSync, openSync, readdirSync,
readFileSync, readlinkSync, readSync, realpathSync, statfsSync, statSync, watch, type Stats
`
  .trim()
  .split(/,\s+/);
/** Files that root's programs share with others, and why their writes are safe. */
const SHARED: Readonly<Record<string, string>> = {
  "src/host/sockets/unix-socket.ts":
    "the guard's and the web's; the keeper listens in run/keeper, which belongs to root",
  "src/host/kernel/tcp-sockets.ts": "it reads a table of the kernel",
  "src/store/open.ts": "only the guard opens a database for writing",
  "src/jobs/job.ts": "a file of the kernel's, below /proc, about its own process or one that it has started",
  "src/surfaces/cli/process-terminal.ts": "standard output, which the caller opened",
};
const WRITING_PROGRAMS = ["chgrp", "chmod", "chown", "cp", "install", "ln", "mkdir", "mv", "rm", "tee", "touch"];

type Source = Readonly<{ path: string; text: string }>;

const reached = reachedFrom(ROOT_RUNS).map((path) => ({ path, text: readFileSync(path, "utf8") }));

test("root's programs write only by the module that uses descriptors", () => {
  const found = reached.filter(({ path }) => !path.startsWith(MODULE) && !(path in SHARED)).flatMap(writesIn);
  assert.deepEqual(found, []);
});

test("the files reached are more than the entry points, and include the module", () => {
  const paths = reached.map(({ path }) => path);
  const some = [`${MODULE}directory.ts`, "src/mail/configuration/apply.ts", "src/jobs/uninstall/uninstall.ts"];
  for (const expected of some) assert.ok(paths.includes(expected), `${expected} is not reached`);
  assert.ok(!paths.includes("src/programs/guard/main.ts"));
});

test("each listed exception exists, and still writes", () => {
  for (const path of Object.keys(SHARED)) {
    const source = reached.find((one) => one.path === path);
    assert.ok(source !== undefined && writesIn(source).length > 0, path);
  }
});

for (const [what, text] of [
  ["a writer of node:fs", 'import { existsSync, writeFileSync } from "node:fs";'],
  ["one on several lines", 'import {\n  chownSync,\n} from "node:fs";'],
  ["a promise", 'import { chmod } from "node:fs/promises";'],
  ["a stream", 'import { createWriteStream } from "node:fs";'],
  ["all at once", 'import * as fs from "node:fs";'],
  ["the default", 'import fs from "node:fs";'],
  ["one asked for late", 'const { rmSync } = await import("node:fs");'],
  ["one without its prefix", 'import { rmSync } from "fs";'],
  ["the process's own", 'process.getBuiltinModule("fs").rmSync("x");'],
  ["an open for writing", 'openSync(path, "a");'],
  ["flags", "openSync(path, constants.O_WRONLY);"],
  ["a program", 'await runProgram("chown", ["-R", "x"]);'],
] as const)
  test(`the rule notices ${what}`, () => assert.notDeepEqual(writesIn({ path: "src/jobs/x.ts", text }), []));

test("the rule lets readers read", () => {
  const text = 'import { existsSync, openSync, type Stats } from "node:fs";\nopenSync(path, "r");\n';
  assert.deepEqual(writesIn({ path: "src/jobs/x.ts", text }), []);
});

/** Commands that may change a file by its name, and why. */
const SAFE: Readonly<Record<string, string>> = {
  "mv ${EXITS}.new ${EXITS})`": "in the service's directory, which belongs to root",
  "&& rm ${CHECKED} ||": "in the service's directory too",
  "|| rm -f ${layout.mailKeyConf}`": "conf/dovecot belongs to root",
  "|| rm -f ${pidFile}`": "run/dovecot belongs to root",
  "chown root ${file}; chmod go-w ${file}`": "advice for the owner",
  "install nftables;": "advice for the owner",
  "| ${user} tee ${layout.postgreyData}/DB_CONFIG >": "Postgrey's user runs it",
  "`${user}sh -c 'rm -f ${layout.rspamdData}/*.hsmp*'`": "Rspamd's user runs it",
  "findAsOwner(mail, `${folders} -o ${locks} -print -exec rm -f {} +`)": "the owner of the mail runs it",
  "index.* -exec rm -f {} +`;\n  return findAsOwner(": "the owner of the mail runs it",
  "mkdir -p ${fetched} ${rules}/keys && chmod 700 ${rules}/keys ||": "spamd's user runs it",
  'cp -R ${fetched} "$next" && ln -sfn "$next" ${rules}/next && mv -T ${rules}/next ${rules}/current ||': "the same",
  '|| rm -rf "$old"; done': "spamd's user runs it",
};

test("no run script of root changes a file by its name, except where no one else can exchange it", () => {
  const paths = reachedFrom(["src/mail/configuration/mail-services.ts", "src/host/running/systemd.ts"]);
  const others = paths.filter((path) => !path.startsWith(MODULE));
  let code = others.map((path) => readFileSync(path, "utf8")).join("");
  for (const command of Object.keys(SAFE)) {
    assert.ok(code.includes(command), command);
    code = code.replace(command, "");
  }
  assert.deepEqual(code.match(new RegExp(`.*\\b(?:${WRITING_PROGRAMS.join("|")})\\s.*`, "g")), null);
});

function writesIn({ path, text }: Source): readonly string[] {
  const found: string[] = [];
  for (const [, names = "", module = ""] of text.matchAll(
    /^import\s+([^"';]*?)\s+from\s+"((?:node:)?fs(?:\/promises)?)"/gm,
  ))
    for (const name of module === "node:fs" && names.startsWith("{") ? listed(names) : [names])
      if (module !== "node:fs" || !READERS.includes(name)) found.push(`${name} of ${module}`);
  for (const [call] of text.matchAll(/\b(?:import|require|getBuiltinModule)\("(?:node:)?fs[/"][^)]*\)/g))
    found.push(call);
  for (const [call] of text.matchAll(/\bopenSync\((?![^;]*"r"\))[^;]*/g)) found.push(call);
  for (const [, program = ""] of text.matchAll(/\brunProgram\(\s*"([a-z]+)"/g))
    if (WRITING_PROGRAMS.includes(program)) found.push(`the program ${program}`);
  return found.map((what) => `${path}: ${what}`);
}

function listed(names: string): readonly string[] {
  return names
    .replace(/[{}]/g, "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
