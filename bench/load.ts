/**
 * The load: asks a policy server over a unix socket, one question in flight per connection, and prints one line of
 * JSON. It must never be the bottleneck, so it reuses one request and one read buffer per connection, patches digits in
 * place and counts into typed arrays. `load.ts JSON`, see LoadPlan.
 */
import { connect, type Socket } from "node:net";
import { argv, cpuUsage, hrtime } from "node:process";
import { type LoadPlan, type LoadResult, requestOf, writeDigits } from "./policy-request.ts";

const NEWLINE = 10;
/** Latencies are counted by the microsecond up to a second. */
const SLOTS = 1_000_000;
const DUNNO = "action=DUNNO\n\n".length;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by child.ts
const plan = JSON.parse(argv[2] ?? "") as LoadPlan;
const histogram = new Uint32Array(SLOTS);
const stages = plan.stages.length;
let answers = 0;
let others = 0;
let asked = 0;
let open = 0;
let recordFrom = Number.POSITIVE_INFINITY;
let stopAt = Number.POSITIVE_INFINITY;
let startedAt = 0;
let cpuAtStart = cpuUsage();

class Asker {
  readonly #requests = plan.stages.map((stage) => requestOf(stage, plan.family));
  readonly #buffer = Buffer.alloc(4_096);
  #socket: Socket | null = null;
  #stage = 0;
  #sequence = 0;
  #sentAt = 0;
  #ended = false;

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const callback = (bytes: number): boolean => this.#read(bytes);
      this.#socket = connect({ path: plan.socket, onread: { buffer: this.#buffer, callback } }, resolve);
      this.#socket.on("error", reject);
      this.#socket.on("close", () => {
        if (!this.#ended) throw new Error("the policy server hung up");
      });
    });
  }

  ask(): void {
    // All stages of one mail come from one address and one connection.
    if (this.#stage === 0) {
      if (asked >= plan.requests) return this.#end();
      this.#sequence = Math.floor(asked / stages);
      asked += stages;
    }
    const request = this.#requests[this.#stage];
    if (request === undefined) throw new Error("no such stage");
    writeDigits(request, this.#sequence % plan.addresses, this.#sequence);
    this.#stage = this.#stage + 1 === stages ? 0 : this.#stage + 1;
    this.#sentAt = performance.now();
    this.#socket?.write(request.bytes);
  }

  #read(bytes: number): boolean {
    const buffer = this.#buffer;
    if (bytes < 2 || buffer[bytes - 1] !== NEWLINE || buffer[bytes - 2] !== NEWLINE)
      throw new Error(`half an answer: ${buffer.toString("latin1", 0, bytes)}`);
    const now = performance.now();
    if (now >= recordFrom) {
      answers += 1;
      if (bytes !== DUNNO) others += 1;
      const slot = Math.min(SLOTS - 1, Math.floor((now - this.#sentAt) * 1_000));
      histogram[slot] = (histogram[slot] ?? 0) + 1;
    } else if (now >= startedAt) {
      recordFrom = now;
      cpuAtStart = cpuUsage();
    }
    if (now >= stopAt) this.#end();
    else this.ask();
    return true;
  }

  #end(): void {
    open -= 1;
    this.#ended = true;
    this.#socket?.destroy();
    if (open === 0) print();
  }
}

const askers = Array.from({ length: plan.connections }, () => new Asker());
await Promise.all(askers.map((asker) => asker.open()));
open = askers.length;
const begunAtNs = Number(hrtime.bigint());
const begun = performance.now();
// A plan without a warm-up records all requests.
startedAt = begun + plan.warmUpMs;
if (plan.warmUpMs === 0) recordFrom = begun;
stopAt = startedAt + plan.runMs;
cpuAtStart = cpuUsage();
for (const asker of askers) asker.ask();

function print(): void {
  const seconds = (performance.now() - recordFrom) / 1_000;
  const { user, system } = cpuUsage(cpuAtStart);
  const result: LoadResult = {
    begunAtNs,
    answers,
    others,
    seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    p999Ms: quantile(0.999),
    mostMs: quantile(1),
    cpuShare: (user + system) / 1e6 / seconds,
  };
  console.log(JSON.stringify(result));
}

function quantile(share: number): number {
  let left = share * answers;
  for (let slot = 0; slot < SLOTS; slot++) {
    left -= histogram[slot] ?? 0;
    if (left <= 0) return (slot + 0.5) / 1_000;
  }
  return SLOTS / 1_000;
}
