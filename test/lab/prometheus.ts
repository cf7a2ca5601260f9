import type { ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProgram } from "./commands.ts";
import type { Host } from "./host.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";

type Series = Readonly<{ metric: Readonly<Record<string, string>>; value: string }>;
type Rule = Readonly<{ name: string; health: string }>;

/** Prometheus on a host of the lab, with the configuration in this folder, but scraping each second. It ends with `stop`. */
export class Prometheus {
  readonly #child: ChildProcess;
  readonly #web: WebClient;

  private constructor(child: ChildProcess, web: WebClient) {
    this.#child = child;
    this.#web = web;
  }

  static async start(host: Host, folder: string): Promise<Prometheus> {
    const file = join(folder, "prometheus.yml");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("_interval: 30s", "_interval: 1s"));
    const argv = [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, "--web.listen-address=127.0.0.1:9090"];
    const web = await WebClient.from(host, { from: "127.0.0.1", to: "127.0.0.1", port: 9090 });
    const child = host.spawn(["prometheus", ...argv]);
    await until("Prometheus is ready", async () => (await web.ask("GET", "/-/ready")).status === 200);
    return new Prometheus(child, web);
  }

  /** Evaluates an expression now. Throws if Prometheus refuses it. */
  async ask(expression: string): Promise<readonly Series[]> {
    const answer = await this.#web.ask("GET", `/api/v1/query?query=${encodeURIComponent(expression)}`);
    if (answer.status !== 200) throw new Error(`${expression}: ${answer.text}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- https://prometheus.io/docs/prometheus/latest/querying/api/
    const { data } = answer.json() as {
      data: { result: readonly { metric: Series["metric"]; value: readonly [number, string] }[] };
    };
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value }));
  }

  async rules(): Promise<readonly Rule[]> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same page
    const { data } = (await this.#web.ask("GET", "/api/v1/rules")).json() as {
      data: { groups: readonly { rules: readonly Rule[] }[] };
    };
    return data.groups.flatMap(({ rules }) => rules);
  }

  stop(): Promise<void> {
    return endProgram(this.#child);
  }
}
