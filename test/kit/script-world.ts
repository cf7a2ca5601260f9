import assert from "node:assert/strict";
import type { Terminal } from "../../src/surfaces/cli/call.ts";
import type { World } from "../../src/surfaces/cli/run.ts";

/** A terminal without a person, on which only these are used; any other part throws. */
export function scriptTerminal(used: Partial<Terminal>): Terminal {
  const unused = (): never => assert.fail("nothing else of the terminal is used");
  return {
    interactive: false,
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
