import assert from "node:assert/strict";
import { instant } from "../../src/core/time.ts";
import type { Layout } from "../../src/settings/layout.ts";
import type { Call, Reader, Terminal } from "../../src/surfaces/cli/call.ts";
import { run, type World } from "../../src/surfaces/cli/run.ts";

/** A terminal without a person, on which only these are used; any other part throws. */
function scriptTerminal(used: Partial<Terminal>): Terminal {
  const unused = (): never => assert.fail("nothing else of the terminal is used");
  return {
    interactive: false,
    inputIsTerminal: false,
    width: null,
    out: unused,
    outForGood: unused,
    err: unused,
    progress: () => undefined,
    readLine: unused,
    ask: unused,
    askSecret: unused,
    interrupted: new AbortController().signal,
    ...used,
  };
}

type Connected = ReturnType<World["connect"]>;

/** A server of which only these are asked; any other part throws. */
export function connected(used: Partial<Omit<Connected, "guard">> & Readonly<{ guard?: Partial<Connected["guard"]> }>) {
  const unused = (): never => assert.fail("nothing else of the server is asked");
  return {
    keeper: { ask: unused },
    reader: unused,
    close: () => undefined,
    ...used,
    guard: { ask: unused, watch: unused, ...used.guard },
  };
}

/** A reader of which only these are read. */
export function readerWith(used: Partial<Reader>): Connected["reader"] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what else of it is used throws
  return () => Promise.resolve({ ok: true, reader: used as Reader });
}

type Called = Partial<Omit<Call, "terminal">> &
  Readonly<{ layout: Layout; flags?: readonly string[]; terminal?: Partial<Terminal> }>;

/** A call of a command with these flags and no other words, of which only these parts are used; any other throws. */
export function scriptCall({ flags = [], terminal = {}, ...used }: Called): Call {
  return {
    args: [],
    option: () => null,
    flag: (name) => flags.includes(name),
    json: false,
    env: {},
    now: () => instant(Date.now()),
    ...connected({}),
    ...used,
    terminal: scriptTerminal(terminal),
  };
}

type ScriptWorld = Partial<Pick<World, "env" | "now" | "connect">> &
  Readonly<{ width?: number | null; input?: string; person?: Partial<Terminal> }>;

/** Runs a command line in this process and returns what it printed. `person`: the terminal's parts for questions to a person. */
export async function script(argv: readonly string[], world: ScriptWorld) {
  const { env = {}, now = () => 0, width = null, input = "", person = {} } = world;
  const { connect = () => assert.fail("this needs no server") } = world;
  let [out, err] = ["", ""];
  const terminal = scriptTerminal({
    width,
    out: (text) => (out += lines(text)),
    outForGood: (text) => {
      out += lines(text);
      return Promise.resolve({ ok: true });
    },
    err: (text) => (err += lines(text)),
    readLine: (mostBytes) => Promise.resolve(firstLine(input, mostBytes)),
    ...person,
  });
  const code = await run(argv, { env, now, terminal, connect });
  return { code, out, err };
}

// These are as in src/surfaces/cli/process-terminal.ts.

function firstLine(input: string, mostBytes: number): string | null {
  const line = (input.split("\n", 1)[0] ?? "").replace(/\r$/, "");
  return line === "" || line.length > mostBytes ? null : line;
}

const lines = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);
