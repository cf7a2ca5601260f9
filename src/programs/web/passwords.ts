import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import { type JudgedFor, JudgesBusy, type PasswordJudges } from "../../surfaces/api/ports.ts";
import { runThread, threadProgram } from "./thread-program.ts";

const LIMITS = { mostWaiting: 4, judgeMs: 8 * SECOND_MS };
/** Megabytes of its heap: the lists of guessable passwords take 30. */
const HEAP = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 };

type Queued = JudgedFor & Readonly<{ start: () => Promise<void>; over: AbortController }>;
type Asked = Parameters<PasswordJudges["judgeSome"]>[0];

/**
 * Judges new passwords in a thread that ends with its answers, which frees the memory of the word lists. One thread runs at a time, and
 * each caller has one place in the queue. Users of mailboxes take no place of the administrator, who also ends a user's running thread. The
 * time limit includes waiting, so that no caller hears "too late" whose password is set afterwards.
 */
export function createPasswordThread(limits = LIMITS, program = threadProgram("passwords")) {
  /** In order, including the running one. */
  const queue = new Set<Queued>();
  let running: Queued | null = null;

  async function judge(asked: Asked[number], by: JudgedFor): Promise<string | null> {
    const judged: (string | null)[] = [];
    await inTurn([asked], by, judged, limits.judgeMs);
    const [problem] = judged;
    if (problem === undefined) throw new JudgesBusy("its thread judged nothing");
    return problem;
  }

  async function judgeSome(asked: Asked, by: JudgedFor, withinMs: number): Promise<readonly (string | null)[]> {
    const judged: (string | null)[] = [];
    if (asked.length === 0 || withinMs <= 0) return judged;
    try {
      await inTurn(asked, by, judged, Math.min(withinMs, limits.judgeMs));
    } catch (error) {
      if (!(error instanceof JudgesBusy)) throw error;
    }
    return judged;
  }

  async function inTurn(asked: Asked, by: JudgedFor, judged: (string | null)[], withinMs: number): Promise<void> {
    const peers = [...queue].filter(({ isAdministrator }) => isAdministrator === by.isAdministrator);
    if (peers.some(({ caller }) => caller === by.caller))
      throw new JudgesBusy("another password of the same caller is waiting");
    if (peers.length >= limits.mostWaiting) throw new JudgesBusy("too many passwords are waiting");
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(new Error("the time is up")), withinMs);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const start = (): Promise<void> => run(asked, judged, over.signal).then(resolve, reject);
    queue.add({ ...by, start, over });
    if (by.isAdministrator && running?.isAdministrator === false)
      running.over.abort(new Error("an administrator's password comes first"));
    void work();
    return promise.finally(() => clearTimeout(timer));
  }

  async function work(): Promise<void> {
    if (running !== null) return;
    for (let next = first(); next !== null; next = first()) {
      running = next;
      await next.start();
      queue.delete(next);
    }
    running = null;
  }

  function first(): Queued | null {
    const waiting = [...queue];
    return waiting.find(({ isAdministrator }) => isAdministrator) ?? waiting[0] ?? null;
  }

  async function run(asked: Asked, judged: (string | null)[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new JudgesBusy("the others took all the time");
    try {
      await runThread(program, { workerData: asked, resourceLimits: HEAP, signal }, judged, asked.length);
    } catch (error) {
      throw new JudgesBusy(messageOf(error));
    }
  }

  return { judge, judgeSome };
}
