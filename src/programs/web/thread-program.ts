import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * The program of a thread: a bundled file beside the web's, or in a checkout its source. Each thread lowers its priority, which on Linux
 * affects only the thread (setpriority(2)), so that on one processor the other answers go first.
 */
export function threadProgram(name: "lookups" | "passwords" | "trials"): URL {
  return new URL(import.meta.url.endsWith(".ts") ? `./${name}-main.ts` : `./web-${name}.js`, import.meta.url);
}

type Started = Pick<WorkerOptions, "workerData" | "resourceLimits"> & Readonly<{ signal: AbortSignal }>;

/** Runs a thread until it has added `count` messages to `messages`, and ends it. Rejects if it ends before, or the signal fires. */
export async function runThread(
  program: URL,
  { signal, ...started }: Started,
  messages: unknown[],
  count: number,
): Promise<void> {
  const worker = new Worker(program, started);
  worker.unref();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => reject(signal.reason));
  worker.on("error", reject);
  worker.on("exit", (code) => reject(new Error(`its thread ended with ${code}`)));
  worker.on("message", (message: unknown) => {
    if (messages.push(message) === count) resolve();
  });
  try {
    await promise;
  } finally {
    worker.removeAllListeners("message");
    await worker.terminate();
  }
}
