/**
 * The load on the API: requests each path several times in a row, each over a new connection, and prints a line of JSON. Runs in the
 * server's network on a separate core, so that no other program is between it and the answer. `api-load.ts JSON`, see ApiPlan.
 */
import { request } from "node:http";
import { argv } from "node:process";

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by child.ts
const { port, token, paths, runs, warmUp, beside } = JSON.parse(argv[2] ?? "") as ApiPlan;
const over = new AbortController();

/** The bytes of the answer's body. */
function ask(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const asked = request({ host: "127.0.0.1", port, path, headers, agent: false }, (answer) => {
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => (bytes += chunk.length));
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve(bytes);
        else reject(new Error(`${path} answers ${answer.statusCode}`));
      });
    });
    asked.on("error", reject).end();
  });
}

async function measured(path: string): Promise<Asked> {
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < runs + warmUp; i++) {
    const from = performance.now();
    bytes = await ask(path);
    if (i >= warmUp) times.push(performance.now() - from);
  }
  return { path, bytes, times };
}

const searches = Array.from({ length: beside?.clients ?? 0 }, async () => {
  while (!over.signal.aborted) await ask(beside?.path ?? "");
});
const all: Asked[] = [];
for (const path of paths) all.push(await measured(path));
over.abort();
await Promise.all(searches);
console.log(JSON.stringify(all));

/** What `api-load.ts` asks for. */
export type ApiPlan = Readonly<{
  port: number;
  token: string;
  paths: readonly string[];
  runs: number;
  warmUp: number;
  /** Requests that other clients make at the same time, without a pause. */
  beside: Readonly<{ path: string; clients: number }> | null;
}>;

/** `times`: for each answer, from before the connection to its last byte (ms). `bytes`: the size of the last answer's body. */
export type Asked = Readonly<{ path: string; bytes: number; times: readonly number[] }>;
